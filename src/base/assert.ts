/** A bug in this program: a state occurred that its code rules out. Never caused by a user's input. */
export class AssertionError extends Error {
	override readonly name = 'AssertionError';
}

/** Throws an {@link AssertionError} with `message` if `condition` is falsy. */
export function assert(condition: unknown, message: string): asserts condition {
	if (!condition) throw new AssertionError(message);
}
