import type { KubeObject } from '../api/meta/object-meta.ts';
import type { ApiWatch, ApiWatchSink, WatchEvent } from '../api/meta/transport.ts';

/** How a watch is followed. */
export interface FollowOptions<T extends KubeObject> {
	/** Opens the watch, as `ResourceClient.watch` does. */
	readonly open: (sink: ApiWatchSink<T>) => Promise<ApiWatch>;
	/** Told of each batch of events; returns true when nothing more is wanted. */
	readonly events: (batch: readonly WatchEvent<T>[]) => boolean | undefined;
	/** Ends the watch when it aborts. */
	readonly signal?: AbortSignal | undefined;
}

/**
 * Opens a watch and follows it. Resolves to true once `events` wants no more, and to false once the watch
 * has ended or `signal` has aborted; rejects with the error that ended it or kept it from being opened. The
 * watch may end before it is known to be open; its error is not left unhandled then.
 */
export async function followWatch<T extends KubeObject>(options: FollowOptions<T>): Promise<boolean> {
	const { open, events, signal } = options;
	const end = Promise.withResolvers<boolean>();
	end.promise.catch(() => undefined);
	const stop = (): void => end.resolve(false);
	signal?.addEventListener('abort', stop, { once: true });
	let watch: ApiWatch | undefined;
	try {
		watch = await open({
			events: (batch) => {
				if (events(batch)) end.resolve(true);
			},
			ended: (error) => (error ? end.reject(error) : end.resolve(false)),
		});
		return await end.promise;
	} finally {
		signal?.removeEventListener('abort', stop);
		watch?.stop();
	}
}
