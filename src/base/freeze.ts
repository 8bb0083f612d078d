/**
 * Freezes `value` and all it holds, and returns it. Parts that are frozen already are taken to be
 * frozen throughout, so an update that shares most of its old object costs only what changed.
 */
export function deepFreeze<T>(value: T): T {
	if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
	Object.freeze(value);
	for (const part of Object.values(value)) deepFreeze(part);
	return value;
}
