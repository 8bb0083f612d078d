/**
 * Freezes `value` and everything it contains, and returns it. A part that is frozen is assumed to be deeply
 * frozen and is not visited: an update that shares most of its parts with the old object then costs only
 * its changed parts.
 */
export function deepFreeze<T>(value: T): T {
	if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
	Object.freeze(value);
	for (const part of Object.values(value)) deepFreeze(part);
	return value;
}
