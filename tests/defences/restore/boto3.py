"""As much of boto3 as scripts/restore-table uses, over DynamoDB's own HTTP: the test needs nothing but Python."""

import json
import urllib.request

HEADERS = {
    "Content-Type": "application/x-amz-json-1.0",
    "X-Amz-Date": "20260101T000000Z",
    "Authorization": "AWS4-HMAC-SHA256 Credential=devstack/20260101/eu-west-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0",
}


def client(_service, endpoint_url):
    return Client(endpoint_url)


class Client:
    def __init__(self, url):
        self.url = url

    def ask(self, operation, fields):
        headers = HEADERS | {"X-Amz-Target": f"DynamoDB_20120810.{operation}"}
        request = urllib.request.Request(self.url, json.dumps(fields).encode(), headers)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def get_paginator(self, _operation):
        return self

    def paginate(self, **fields):
        while True:
            page = self.ask("Scan", fields)
            yield page
            if "LastEvaluatedKey" not in page:
                return
            fields["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def put_item(self, **fields):
        self.ask("PutItem", fields)

    def delete_item(self, **fields):
        self.ask("DeleteItem", fields)
