//! How DynamoDB counts: the size of an item, and the units that a request is charged with.
//!
//! Sizes: "DynamoDB item sizes and formats", units: "DynamoDB read and write operations", both in Amazon's Developer Guide. One figure is
//! ours: a number counts with all its digits, though DynamoDB leaves trailing zeros away, or a size would depend on the time of day.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// What a read unit covers, in bytes.
const READ_UNIT: usize = 4096;
/// What a write unit covers, in bytes.
const WRITE_UNIT: usize = 1024;
/// What a list or a map has besides its members, in bytes.
const NESTING: usize = 3;

/// An item's size in bytes; it is in DynamoDB's JSON, such as `{"pk": {"S": "a"}}`.
pub fn item_size(item: &Value) -> usize {
    item.as_object().into_iter().flatten().map(|(name, value)| name.len() + value_size(value)).sum()
}

fn value_size(tagged: &Value) -> usize {
    let Some((tag, value)) = tagged.as_object().and_then(|object| object.iter().next()) else {
        return 0;
    };
    let each = |size: fn(&Value) -> usize| value.as_array().into_iter().flatten().map(size).sum::<usize>();
    match tag.as_str() {
        "S" => text_size(value),
        "N" => number_size(value),
        "B" => binary_size(value),
        "SS" => each(text_size),
        "NS" => each(number_size),
        "BS" => each(binary_size),
        "L" => NESTING + each(|member| 1 + value_size(member)),
        "M" => {
            let members = value.as_object().into_iter().flatten();
            NESTING + members.map(|(name, member)| 1 + name.len() + value_size(member)).sum::<usize>()
        }
        // BOOL and NULL.
        _ => 1,
    }
}

fn text_size(text: &Value) -> usize {
    text.as_str().map_or(0, str::len)
}

/// A byte for two digits, one besides, and one for a sign.
fn number_size(number: &Value) -> usize {
    let text = number.as_str().unwrap_or_default();
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    digits.div_ceil(2) + 1 + usize::from(text.starts_with('-'))
}

fn binary_size(blob: &Value) -> usize {
    blob.as_str().and_then(|text| STANDARD.decode(text).ok()).map_or(0, |bytes| bytes.len())
}

/// The read units of a consistent read of so many bytes. What is not there costs one as well.
pub fn read_units(bytes: usize) -> usize {
    bytes.div_ceil(READ_UNIT).max(1)
}

/// The write units of one item of a write, by its larger size before and after. A transaction writes twice: to prepare, and to commit.
pub fn write_units(bytes: usize, in_transaction: bool) -> usize {
    bytes.div_ceil(WRITE_UNIT).max(1) * if in_transaction { 2 } else { 1 }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_items_size_is_that_of_its_names_and_values() {
        assert_eq!(item_size(&json!({"pk": {"S": "abc"}, "n": {"N": "1764000000"}})), 2 + 3 + 1 + 6);
        assert_eq!(item_size(&json!({"t": {"BOOL": true}, "x": {"NULL": true}})), 2 + 2);
        assert_eq!(item_size(&json!({"u": {"S": "…"}, "m": {"N": "-5"}})), 1 + 3 + 1 + 3);
        let list = json!({"recent": {"L": [{"N": "1764000000"}, {"N": "1764000001"}]}});
        assert_eq!(item_size(&list), 6 + 3 + 2 * (1 + 6));
        assert_eq!(item_size(&json!({"b": {"B": "AAEC"}, "s": {"SS": ["a", "bc"]}})), 1 + 3 + 1 + 3);
        assert_eq!(item_size(&json!({"m": {"M": {"k": {"S": "v"}}}})), 1 + 3 + 1 + 1 + 1);
        assert_eq!(item_size(&Value::Null), 0);
    }

    #[test]
    fn units_are_rounded_up_and_doubled_in_a_transaction() {
        assert_eq!([0, 1, 4096, 4097].map(read_units), [1, 1, 1, 2]);
        assert_eq!([0, 1, 1024, 1025].map(|bytes| write_units(bytes, false)), [1, 1, 1, 2]);
        assert_eq!([0, 1024, 1025].map(|bytes| write_units(bytes, true)), [2, 2, 4]);
    }
}
