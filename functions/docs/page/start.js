"use strict";
// Where this page is, without a slash at its end: behind a stage its name comes first, and nobody tells the page.
const here = location.pathname.replace(/\/+$/, "");
SwaggerUIBundle({
  url: `${here}/openapi.yaml`,
  dom_id: "#ui",
  deepLinking: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  // It would send the document to a service of theirs.
  validatorUrl: "none",
});
