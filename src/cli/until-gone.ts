import { isApiError } from '../api/meta/api-error.ts';
import type { KubeObject } from '../api/meta/object-meta.ts';
import type { ApiWatch } from '../api/meta/transport.ts';
import type { ResourceClient } from '../client/client.ts';

/** Resolves once the object with this name and UID is gone, or `signal` aborts. Rejects when the server is lost. */
export async function untilGone(
	target: ResourceClient<KubeObject>,
	{ name, uid }: { readonly name: string; readonly uid: string | undefined },
	signal?: AbortSignal,
): Promise<void> {
	const fieldSelector = `metadata.name=${name}`;
	while (!signal?.aborted) {
		const { items, metadata } = await target.list({ fieldSelector });
		const found = items.find((item) => item.metadata.name === name);
		if (!found || (uid !== undefined && found.metadata.uid !== uid)) return;
		const { resourceVersion } = metadata;
		const deleted = await watchForDeletion(target, { fieldSelector, resourceVersion }, signal);
		// A watch may also end because its time is up; then one looks again.
		if (deleted) return;
	}
}

async function watchForDeletion(
	target: ResourceClient<KubeObject>,
	query: { readonly fieldSelector: string; readonly resourceVersion: string },
	signal: AbortSignal | undefined,
): Promise<boolean> {
	const end = Promise.withResolvers<boolean>();
	const stop = (): void => end.resolve(false);
	signal?.addEventListener('abort', stop, { once: true });
	let watch: ApiWatch | undefined;
	try {
		watch = await target.watch(query, {
			events: (batch) => {
				if (batch.some(({ type }) => type === 'DELETED')) end.resolve(true);
			},
			ended: (error) => (error ? end.reject(error) : end.resolve(false)),
		});
		return await end.promise;
	} catch (error) {
		if (isApiError(error, 'Expired')) return false;
		throw error;
	} finally {
		signal?.removeEventListener('abort', stop);
		watch?.stop();
	}
}
