import assert from 'node:assert/strict';
import test from 'node:test';
import type { ApiResponse } from '../../api/meta/transport.ts';
import { openTestServer, PODS, podNamed, refusal } from '../server-contract-suite.ts';

async function create(spec: object): Promise<ApiResponse> {
	const { server } = await openTestServer();
	const containers = [{ name: 'main', image: 'busybox' }];
	const body = { ...podNamed('p'), spec: { containers, ...spec } };
	return await server.request({ method: 'POST', path: PODS, query: {}, body }).finally(() => server.close());
}

test('a Pod that names a RuntimeClass is refused, since none exists', async () => {
	const { code, reason, message } = await refusal(create({ runtimeClassName: 'x' }));
	assert.deepEqual([code, reason], [403, 'Forbidden']);
	assert.equal(message, 'pods "p" is forbidden: pod rejected: RuntimeClass "x" not found');
});

test('a Pod with an overhead is refused, since only a RuntimeClass can bring one', async () => {
	const { code, message } = await refusal(create({ overhead: { cpu: '100m' } }));
	assert.equal(code, 403);
	assert.match(
		message ?? '',
		/pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead$/,
	);
});

test('a Pod with neither is taken', async () => {
	assert.equal((await create({})).code, 201);
});
