// Nothing reachable from a fleet can be changed once it is published.

export function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  if (value instanceof Map) {
    for (const inner of value.values()) deepFreeze(inner);
    // Freezing a Map leaves its entries open; own methods close them.
    for (const name of ['set', 'delete', 'clear']) Object.defineProperty(value, name, { value: refuse });
  } else for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}

function refuse(): never {
  throw new TypeError('a fleet cannot be changed');
}
