/** The part of the API's contract about reads; see api-contract-suite.ts. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import type { Table } from '../../api/meta/table.ts';
import type { ApiUnderTest } from './api-under-test.ts';
import { JOBS, PODS, podNamed, refusal } from './server-contract-suite.ts';

/** The tests of get and list. */
export function readContract(api: ApiUnderTest): void {
	const { send, post, get, remove, list, names } = api;

	describe('get and list', () => {
		test('answer NotFound for a missing object', async () => {
			const error = await refusal(get(`${JOBS}/none`));
			assert.equal(error.message, 'jobs.batch "none" not found');
			assert.deepEqual(error.status.details, { name: 'none', group: 'batch', kind: 'jobs' });
			assert.equal((await refusal(get('/apis/batch/v2/jobs'))).code, 404);
			assert.equal((await refusal(get('/nothing'))).code, 404);
			assert.equal((await refusal(get(`${PODS}/p/nothing`))).code, 404);
			assert.equal((await refusal(send({ method: 'PUT', path: PODS }))).code, 405);
			assert.deepEqual(await names('/api/v1/namespaces/nowhere/pods'), []);
		});

		test('select by namespace, labels and fields, in the order of names', async () => {
			await post(PODS, podNamed('b', { labels: { app: 'x' } }));
			await post(PODS, podNamed('a', { labels: { app: 'y' } }));
			await post('/api/v1/namespaces/kube-system/pods', podNamed('c', { labels: { app: 'x' } }));
			assert.deepEqual(await names(PODS), ['a', 'b']);
			assert.deepEqual(await names('/api/v1/pods'), ['a', 'b', 'c']);
			assert.deepEqual(await names('/api/v1/pods', { labelSelector: 'app in (x, z)' }), ['b', 'c']);
			assert.deepEqual(await names(PODS, { fieldSelector: 'metadata.name=a' }), ['a']);
			assert.deepEqual(await names('/api/v1/pods', { fieldSelector: 'metadata.name=c' }), ['c']);
			assert.deepEqual(await names('/api/v1/pods', { fieldSelector: 'status.phase!=Pending' }), []);
			const error = await refusal(list(PODS, { fieldSelector: 'foo=bar' }));
			assert.equal(error.message, 'field label not supported: foo');
		});

		test('return lists with a resourceVersion and complete items', async () => {
			const pod = await post(PODS, podNamed('a'));
			const { metadata, items } = await list(PODS);
			assert.equal(metadata.resourceVersion, String(api.opened.store.revision));
			// Over HTTPS, items have no kind and apiVersion, which the list has.
			assert.deepEqual(
				items.map((item) => ({ ...item, kind: 'Pod', apiVersion: 'v1' })),
				[pod],
			);
			await post(PODS, podNamed('b'));
			assert.deepEqual(await names(PODS), ['a', 'b']);
			await remove(`${PODS}/a`);
			assert.deepEqual(await names(PODS), ['b']);
		});

		test('page through one revision, whatever changes meanwhile', async () => {
			for (const name of ['a', 'b', 'c', 'd']) await post(PODS, podNamed(name));
			const first = await list(PODS, { limit: '2' });
			assert.equal(first.metadata.remainingItemCount, 2);
			await remove(`${PODS}/c`);
			await post(PODS, podNamed('bb'));
			const rest = { limit: '2', continue: String(first.metadata.continue) };
			const second = await list(PODS, rest);
			assert.deepEqual(
				second.items.map(({ metadata }) => metadata.name),
				['c', 'd'],
			);
			assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion);
			assert.equal(second.metadata.continue, undefined);
			await api.opened.store.compact(api.opened.store.revision);
			const error = await refusal(list(PODS, rest));
			assert.equal(error.code, 410);
			assert.equal(error.reason, 'Expired');
			// The token in the error continues with the current objects.
			const now = await list(PODS, { continue: String(error.status.metadata.continue) });
			assert.deepEqual(
				now.items.map(({ metadata }) => metadata.name),
				['bb', 'd'],
			);
			assert.equal(now.metadata.resourceVersion, String(api.opened.store.revision));
		});

		test('return a past revision with resourceVersionMatch=Exact', async () => {
			const pod = await post(PODS, podNamed('a'));
			await remove(`${PODS}/a`);
			const then = { resourceVersion: pod.metadata.resourceVersion, resourceVersionMatch: 'Exact' };
			assert.deepEqual(await names(PODS, then), ['a']);
			assert.deepEqual(await names(PODS, { ...then, resourceVersionMatch: 'NotOlderThan' }), []);
			assert.deepEqual(await names(PODS, { resourceVersion: '0' }), []);
		});

		test('return remainingItemCount on each page, also of a past revision', async () => {
			for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) await post(PODS, podNamed(name));
			const first = await list(PODS, { limit: '2' });
			await remove(`${PODS}/f`);
			const second = await list(PODS, { limit: '1', continue: String(first.metadata.continue) });
			const third = await list(PODS, { limit: '5', continue: String(second.metadata.continue) });
			assert.deepEqual(
				[first, second, third].map(({ metadata }) => metadata.remainingItemCount),
				[4, 3, undefined],
			);
			assert.deepEqual(
				third.items.map(({ metadata }) => metadata.name),
				['d', 'e', 'f'],
			);
		});

		test('apply selectors and limit to a past revision', async () => {
			for (const name of ['a', 'b', 'c', 'd']) {
				await post(PODS, podNamed(name, { labels: { odd: String(name === 'a' || name === 'c') } }));
			}
			const revision = String(api.opened.store.revision);
			for (const name of ['a', 'b', 'c', 'd']) await remove(`${PODS}/${name}`);
			const then = { resourceVersion: revision, resourceVersionMatch: 'Exact', labelSelector: 'odd=true' };
			assert.deepEqual(await names(PODS, then), ['a', 'c']);
			const first = await list(PODS, { ...then, limit: '1' });
			assert.equal(first.metadata.remainingItemCount, undefined);
			const rest = { labelSelector: 'odd=true', limit: '1', continue: String(first.metadata.continue) };
			const { items, metadata } = await list(PODS, rest);
			assert.deepEqual([items[0]?.metadata.name, metadata.continue], ['c', undefined]);
		});

		test('wait three seconds for a future revision', async () => {
			const next = String(api.opened.store.revision + 1);
			const asked = [
				list(PODS, { resourceVersion: next }),
				get('/api/v1/namespaces/default', { resourceVersion: next }),
			];
			// Over HTTPS, this response shows that the other requests have arrived.
			await get('/api/v1/namespaces/default');
			const pod = await post(PODS, podNamed('p'));
			assert.equal(pod.metadata.resourceVersion, next);
			await Promise.all(asked);
			const late = refusal(list(PODS, { resourceVersion: '999' }));
			const lateToo = refusal(get('/api/v1/namespaces/default', { resourceVersion: '999' }));
			await get('/api/v1/namespaces/default');
			api.opened.clock.advance(3000);
			const error = await late;
			assert.equal(error.code, 504);
			assert.match(error.message, /^Timeout: Too large resource version: 999, current: \d+$/);
			assert.equal((await lateToo).code, 504);
			assert.equal((await refusal(list(PODS, { resourceVersion: 'x' }))).code, 400);
		});

		test('return Tables', async () => {
			await post(PODS, podNamed('a'));
			const table = async (path: string, version: string, query = {}): Promise<Table> => {
				const accept = `application/json;as=Table;v=${version};g=meta.k8s.io`;
				const { object } = await api.transport.request({ method: 'GET', path, accept, query });
				return object as Table; // `as`: the header asks for it.
			};
			for (const version of ['v1', 'v1beta1']) {
				const { kind, apiVersion, columnDefinitions, rows } = await table(PODS, version);
				assert.deepEqual([kind, apiVersion], ['Table', `meta.k8s.io/${version}`]);
				assert.equal(columnDefinitions?.[0]?.name, 'Name');
				assert.equal(rows[0]?.cells[0], 'a');
				assert.equal(rows[0]?.object?.kind, 'PartialObjectMetadata');
				assert.equal(rows[0]?.object?.apiVersion, `meta.k8s.io/${version}`);
			}
			const single = await table(`${PODS}/a`, 'v1', { includeObject: 'Object' });
			assert.deepEqual(single.rows[0]?.object, await get(`${PODS}/a`));
			assert.equal((await table(PODS, 'v1', { includeObject: 'None' })).rows[0]?.object, null);
		});

		test('return only metadata, of an object or of a list', async () => {
			await post(PODS, podNamed('a'));
			const ask = async (path: string, as: string): Promise<Metadata> => {
				const accept = `application/json;as=${as};v=v1;g=meta.k8s.io`;
				const { object } = await api.transport.request({ method: 'GET', path, accept });
				return object as Metadata; // `as`: the header asks for it.
			};
			const { kind, items } = await ask(PODS, 'PartialObjectMetadataList');
			assert.equal(kind, 'PartialObjectMetadataList');
			assert.deepEqual(Object.keys(items[0] ?? {}), ['kind', 'apiVersion', 'metadata']);
			const one = await ask(`${PODS}/a`, 'PartialObjectMetadata');
			assert.deepEqual(one, items[0]);
			const list406 = await refusal(ask(PODS, 'PartialObjectMetadata'));
			assert.equal(list406.code, 406);
			assert.equal(
				list406.message,
				'you requested PartialObjectMetadata, but the requested object is a list (*core.PodList)',
			);
			assert.equal(
				(await refusal(ask(`${PODS}/a`, 'PartialObjectMetadataList'))).message,
				'you requested PartialObjectMetadataList, but the requested object is not a list (*core.Pod)',
			);
		});

		test('leave out the name in the details of errors that concern no object', async () => {
			const error = await refusal(list(PODS, { resourceVersionMatch: 'Exact' }));
			assert.equal(error.code, 422);
			assert.deepEqual(Object.keys(error.status.details ?? {}).sort(), ['causes', 'group', 'kind']);
		});
	});
}

interface Metadata {
	readonly kind: string;
	readonly items: readonly KubeObject[];
}
