import assert from 'node:assert/strict';
import test from 'node:test';
import type { Pod } from '../api/core/pod/schema.ts';
import { isApiError } from '../api/meta/api-error.ts';
import type { KubeObject } from '../api/meta/object-meta.ts';
import { checkSize } from './object-size.ts';
import { openTestServer, PODS, podNamed } from './server-contract-suite.ts';

const MOST_BYTES = 1.5 * 1024 * 1024;

/** An object with so many values, of which the four of the object itself are some. */
function objectOf(values: number): KubeObject {
	const labels = Object.fromEntries(Array.from({ length: values - 4 }, (_, index) => [`k${index}`, 'v']));
	return { apiVersion: 'v1', kind: 'Pod', metadata: { labels } };
}

function refusal(object: KubeObject, bytes: number, before = 0, subresource = ''): string | undefined {
	try {
		checkSize(object, new Uint8Array(bytes), { before, subresource });
		return undefined;
	} catch (error) {
		assert.ok(isApiError(error, 'RequestEntityTooLarge'));
		return error.message;
	}
}

test('an object may take 1.5 MiB, and have 20,000 values', () => {
	assert.equal(refusal(objectOf(10), MOST_BYTES), undefined);
	assert.equal(
		refusal(objectOf(10), MOST_BYTES + 1),
		'Request entity too large: limit is 1572864, the object takes 1572865 bytes',
	);
	assert.equal(refusal(objectOf(20_000), 300_000), undefined);
	assert.match(refusal(objectOf(20_001), 300_000) ?? '', /: more than 20000 values, with those/);
});

test('one that is too large already may change as long as it does not grow', () => {
	const object = objectOf(30_000);
	assert.equal(refusal(object, 2 * MOST_BYTES, 2 * MOST_BYTES), undefined);
	assert.notEqual(refusal(object, 2 * MOST_BYTES + 1, 2 * MOST_BYTES), undefined);
});

test('a status has room beside the largest object that can be written', () => {
	assert.equal(refusal(objectOf(90_000), 2 * MOST_BYTES, MOST_BYTES, 'status'), undefined);
	assert.notEqual(refusal(objectOf(100_001), 2 * MOST_BYTES, MOST_BYTES, 'status'), undefined);
	assert.notEqual(refusal(objectOf(10), 2 * MOST_BYTES + 1, MOST_BYTES, 'status'), undefined);
});

test('a Pod that was accepted can be bound, have its status written, and be evicted', async () => {
	const { server } = await openTestServer();
	const pod = podNamed('large', { finalizers: ['example.com/kept'] });
	const containers = Array.from({ length: 1_400 }, (_, index) => ({ name: `c${index}`, image: 'a' }));
	const send = (method: 'POST' | 'PUT', path: string, body: unknown) =>
		server.request({ method, path, body });
	const { object } = await send('POST', PODS, { ...pod, spec: { containers } });
	await send('POST', `${PODS}/large/binding`, { metadata: { name: 'large' }, target: { name: 'node' } });
	const running = { state: { running: { startedAt: '2026-01-31T08:00:00Z' } }, ready: true, restartCount: 0 };
	const containerStatuses = containers.map(({ name }) => ({ name, image: 'a', imageID: 'a', ...running }));
	const status = { phase: 'Running', containerStatuses };
	const { metadata, ...rest } = object as Pod; // `as`: a path of Pods leads to a Pod.
	const { resourceVersion: _, ...current } = metadata;
	await send('PUT', `${PODS}/large/status`, { ...rest, metadata: current, status });
	const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'large' } };
	await send('POST', `${PODS}/large/eviction`, eviction);
	const { object: evicted } = await server.request({ method: 'GET', path: `${PODS}/large` });
	const { status: told } = evicted as Pod; // `as`: see above.
	assert.equal(told.containerStatuses?.length, 1_400);
	assert.ok(told.conditions?.some(({ type }) => type === 'DisruptionTarget'));
	server.close();
});
