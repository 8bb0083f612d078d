/** The server ended a watch within a second and without any event. The informer reopens it after a backoff. */
export class ShortWatchError extends Error {
	override readonly name = 'ShortWatchError';

	constructor() {
		super('the server ended a watch within a second, without any event');
	}
}
