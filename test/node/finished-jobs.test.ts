import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { jobs } from '../../src/api/batch/job/definition.ts';
import { pods } from '../../src/api/core/pod/definition.ts';
import type { KubeObject } from '../../src/api/meta/object-meta.ts';
import { dataFolder } from '../../src/main/server/data-folder.ts';
import { startServer } from '../../src/main/server/server.ts';
import { test } from '../support/transports.ts';

/** Memory of a whole server: it must not keep finished Jobs and their Pods as decoded objects. */

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

test('a server keeps no decoded objects of a finished Job and its Pod, and serves them unchanged', {
	timeout: 60_000,
}, async (t) => {
	const folder = mkdtempSync(join(tmpdir(), 'stint-finished-'));
	const server = await startServer({
		folder: dataFolder(folder),
		runtime: 'fake',
		maxPods: 10,
		storage: 'disk',
		port: undefined,
		log: {
			info: () => undefined,
			warning: () => undefined,
			error: (component, about, error) => assert.fail(`${component} ${about}: ${error}`),
			failure: (error) => assert.fail(String(error)),
		},
	});
	t.after(async () => {
		await server.stop();
		rmSync(folder, { recursive: true });
	});
	const [ours, theirs] = [server.client.resource(jobs, 'default'), server.client.resource(pods, 'default')];
	await ours.create({
		apiVersion: 'batch/v1',
		kind: 'Job',
		metadata: { name: 'pi', namespace: 'default' },
		spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'x' }] } } },
		status: {},
	});
	const finished = async (): Promise<boolean> => {
		const [job, [pod]] = [await ours.get('pi'), (await theirs.list()).items];
		return job.status.completionTime !== undefined && pod?.metadata.finalizers === undefined;
	};
	while (!(await finished())) await new Promise(setImmediate);

	const weak = async (): Promise<readonly WeakRef<KubeObject>[]> =>
		[await ours.get('pi'), ...(await theirs.list()).items].map((object) => new WeakRef(object));
	const held = await weak();
	assert.equal(held.length, 2);
	const alive = (): number => held.filter((reference) => reference.deref() !== undefined).length;
	// Pending work of the controllers references the objects for some more turns of the event loop.
	for (let round = 0; alive() > 0 && round < 100; round++) {
		await new Promise(setImmediate);
		collectGarbage();
	}
	assert.equal(alive(), 0, 'the objects are still referenced');
	assert.equal((await ours.get('pi')).status.succeeded, 1);
	const selected = await theirs.list({ labelSelector: 'job-name=pi' });
	assert.equal(selected.items.length, 1);
});
