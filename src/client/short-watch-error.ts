/** The server ended a watch within a second and without any event. The informer reopens it after a backoff. */
export class ShortWatchError extends Error {
	override readonly name = 'ShortWatchError';

	constructor() {
		super('the server ends watches as soon as they are open, as it does while it stops');
	}
}
