import assert from 'node:assert/strict';
import test from 'node:test';
import type { RuntimeTraits } from '../../api/contract/runtime-traits.ts';
import type { ApiResponse } from '../../api/contract/transport.ts';
import { openTestServer, PODS, podNamed, refusal } from '../testing/server-contract-suite.ts';

async function create(spec: object): Promise<ApiResponse> {
	const { server } = await openTestServer();
	const containers = [{ name: 'main', image: 'busybox' }];
	const body = { ...podNamed('p'), spec: { containers, ...spec } };
	return await server.request({ method: 'POST', path: PODS, query: {}, body }).finally(() => server.close());
}

test('a Pod that names a RuntimeClass is rejected, since no RuntimeClass exists', async () => {
	const { code, reason, message } = await refusal(create({ runtimeClassName: 'x' }));
	assert.deepEqual([code, reason], [403, 'Forbidden']);
	assert.equal(message, 'pods "p" is forbidden: pod rejected: RuntimeClass "x" not found');
});

test('a Pod with an overhead is rejected, since only a RuntimeClass can set one', async () => {
	const { code, message } = await refusal(create({ overhead: { cpu: '100m' } }));
	assert.equal(code, 403);
	assert.match(
		message ?? '',
		/pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead$/,
	);
});

test('a Pod with neither is accepted', async () => {
	assert.equal((await create({})).code, 201);
});

test('an update of the Pod template of a CronJob warns as its creation does, and no other update warns', async () => {
	const traits: RuntimeTraits = {
		honours: new Set(),
		user: { uid: 0, gid: 0, groups: [] },
		os: 'linux',
		runsHostPrograms: true,
		canExec: false,
		canResize: false,
	};
	const { server } = await openTestServer({ traits });
	const containers = (fields: object): object => [{ name: 'main', image: 'busybox', ...fields }];
	const cronJobSpec = (fields: object): object => ({
		schedule: '@daily',
		jobTemplate: { spec: { template: { spec: { restartPolicy: 'Never', containers: containers(fields) } } } },
	});
	const path = '/apis/batch/v1/namespaces/default/cronjobs';
	const body = {
		...{ apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name: 'daily' } },
		spec: cronJobSpec({}),
	};
	const created = await server.request({ method: 'POST', path, query: {}, body });
	const apply = async (change: object): Promise<readonly string[]> => {
		const contentType = 'application/merge-patch+json';
		const request = { method: 'PATCH', path: `${path}/daily`, query: {}, body: change, contentType } as const;
		return (await server.request(request)).warnings;
	};
	const terminal = { spec: cronJobSpec({ tty: true }) };
	const warnings = [
		created.warnings,
		await apply(terminal),
		await apply(terminal),
		await apply({ spec: { suspend: true } }),
	];
	server.close();
	assert.deepEqual(
		warnings.map(({ length }) => length),
		[0, 1, 0, 0],
	);
	assert.match(
		warnings[1]?.[0] ?? '',
		/^spec\.jobTemplate\.spec\.template\.spec\.containers\[0\]\.tty: the container will not start: /,
	);
});
