import { pods } from '../../../src/api/core/pod/definition.ts';
import type { KubeObject } from '../../../src/api/meta/object-meta.ts';
import { pathOf } from '../../../src/client/client.ts';
import type { ActOptions } from './act.ts';

/** Evicts a Pod through its eviction subresource, as `kubectl drain` does. */
export async function evict(
	{ client, trace }: Pick<ActOptions, 'client' | 'trace'>,
	{ metadata }: KubeObject,
): Promise<void> {
	const { name = '', namespace = '' } = metadata;
	trace.note('user', `evicts Pod ${name}`);
	await client().transport.request({
		method: 'POST',
		path: `${pathOf(pods, namespace)}/${name}/eviction`,
		body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } },
	});
}
