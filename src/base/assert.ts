/** An error in our own reasoning: something that cannot happen did. It is never the user's fault. */
export class AssertionError extends Error {
	override readonly name = 'AssertionError';
}

/** States what must hold here; throws an {@link AssertionError} with `message` when it does not. */
export function assert(condition: unknown, message: string): asserts condition {
	if (!condition) throw new AssertionError(message);
}
