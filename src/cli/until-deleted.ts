import { isApiError } from '../api/errors/api-error.ts';
import type { KubeObject } from '../api/meta/object-meta.ts';
import type { ResourceClient } from '../client/client.ts';
import { followWatch } from '../client/follow-watch.ts';

/**
 * Resolves once the object with this name and UID is deleted (without a UID: any object of this name), or
 * when `signal` aborts. Lists first and then watches, since the deletion may happen before the watch starts.
 * Rejects if the server can no longer be reached.
 */
export async function untilDeleted(
	target: ResourceClient<KubeObject>,
	{ name, uid }: { readonly name: string; readonly uid: string | undefined },
	signal?: AbortSignal,
): Promise<void> {
	const fieldSelector = `metadata.name=${name}`;
	while (!signal?.aborted) {
		const { items, metadata } = await target.list({ fieldSelector }, { signal });
		const found = items.find((item) => item.metadata.name === name);
		if (!found || (uid !== undefined && found.metadata.uid !== uid)) return;
		const { resourceVersion } = metadata;
		const deleted = await watchForDeletion(target, { fieldSelector, resourceVersion }, signal);
		// The server also ends a watch after a time-out or with 410 Gone: list again.
		if (deleted) return;
	}
}

async function watchForDeletion(
	target: ResourceClient<KubeObject>,
	query: { readonly fieldSelector: string; readonly resourceVersion: string },
	signal: AbortSignal | undefined,
): Promise<boolean> {
	try {
		return await followWatch({
			open: (sink, over) => target.watch(query, sink, { signal: over }),
			events: (batch) => batch.some(({ type }) => type === 'DELETED'),
			signal,
		});
	} catch (error) {
		if (isApiError(error, 'Expired')) return false;
		throw error;
	}
}
