import assert from 'node:assert/strict';
import test from 'node:test';
import type { RuntimeTraits } from '../../api/contract/runtime-traits.ts';
import { openTestServer } from '../testing/server-contract-suite.ts';

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
