import type { KubeObject } from '../api/meta/object-meta.ts';
import type { ApiWatch, ApiWatchSink, WatchEvent } from '../api/meta/transport.ts';

/** How a watch is followed. */
export interface FollowOptions<T extends KubeObject> {
	/** Opens the watch, as `ResourceClient.watch` does; `signal` aborts when it is not wanted any more. */
	readonly open: (sink: ApiWatchSink<T>, signal: AbortSignal) => Promise<ApiWatch>;
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
	if (signal?.aborted) return false;
	// A signal of its own: `signal` may live as long as the process, and would keep what each watch hangs on it.
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
