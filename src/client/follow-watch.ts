import type { ApiWatch, ApiWatchSink, WatchEvent } from '../api/contract/transport.ts';
import type { KubeObject } from '../api/meta/object-meta.ts';

/** The watch to follow, and its listener. */
export interface FollowWatchOptions<T extends KubeObject> {
	/**
	 * Opens the watch, as `ResourceClient.watch` does. `signal` aborts if the watch is cancelled before it is
	 * open.
	 */
	readonly open: (sink: ApiWatchSink<T>, signal: AbortSignal) => Promise<ApiWatch>;
	/** Called with each batch of events; returns true to end the watch. */
	readonly events: (batch: readonly WatchEvent<T>[]) => boolean | undefined;
	/** Ends the watch when it aborts. */
	readonly signal?: AbortSignal | undefined;
}

/**
 * Opens a watch and follows it to its end. Resolves to true once `events` returns true, and to false once the
 * server has ended the watch or `signal` has aborted; rejects with the error that ended the watch or prevented
 * its opening. If the watch ends before `open` resolves, its error does not become an unhandled rejection.
 */
export async function followWatch<T extends KubeObject>(options: FollowWatchOptions<T>): Promise<boolean> {
	const { open, events, signal } = options;
	const end = Promise.withResolvers<boolean>();
	end.promise.catch(() => undefined);
	if (signal?.aborted) return false;
	// The watch gets a signal of its own. `signal` may live as long as the process, and would keep the listeners
	// that each watch adds to it in memory.
	const unwanted = new AbortController();
	let watch: ApiWatch | undefined;
	const stop = (): void => {
		end.resolve(false);
		if (!watch) unwanted.abort();
	};
	signal?.addEventListener('abort', stop, { once: true });
	const sink: ApiWatchSink<T> = {
		events: (batch) => {
			if (events(batch)) end.resolve(true);
		},
		ended: (error) => (error ? end.reject(error) : end.resolve(false)),
	};
	try {
		watch = await open(sink, unwanted.signal);
		return await end.promise;
	} catch (error) {
		if (signal?.aborted) return false;
		throw error;
	} finally {
		signal?.removeEventListener('abort', stop);
		watch?.stop();
	}
}
