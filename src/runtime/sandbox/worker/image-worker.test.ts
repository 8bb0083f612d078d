import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { SystemClock } from '../../../base/clock.ts';
import { digestOf } from '../../../image/digest.ts';
import { RegistryDouble } from '../../../image/testing/registry-double.ts';
import { testImage } from '../../../image/testing/test-image.ts';
import { testFolder } from '../../../image/testing/trees.ts';
import { ImageWorker } from './image-worker.ts';
import type { WorkerSettings } from './worker-protocol.ts';

function settingsIn(folder: string): WorkerSettings {
	return {
		...{ store: join(folder, 'store'), shim: '/no/shim', overlays: 'user', hasOwners: false },
		...{ registriesPath: join(folder, 'registries.yaml'), userAgent: 'stint/test', keepsBlobs: false },
	};
}

/** A worker, which does not keep the test alive by itself. */
function openWorker(t: TestContext, folder: string, prefix: readonly string[] = []): ImageWorker {
	const clock = new SystemClock();
	const worker = new ImageWorker({
		...{ settings: settingsIn(folder), clock, prefix, onError: assert.ifError },
	});
	const alive = setInterval(() => {}, 1000);
	t.after(async () => {
		await worker.stop();
		clearInterval(alive);
	});
	return worker;
}

const UNKNOWN = { containerId: 'c', owner: '/data', imageId: digestOf('none') };

test('a store that could not be opened is opened by the next call', async (t) => {
	const folder = testFolder(t);
	writeFileSync(join(folder, 'store'), '');
	const worker = openWorker(t, folder);
	await assert.rejects(worker.call('copyRoot', UNKNOWN), /is a file, not a folder/);
	rmSync(join(folder, 'store'));
	await assert.rejects(worker.call('copyRoot', UNKNOWN), /no image sha256:/);
});

test('a worker that is stopped gives up its pulls, also below another process', async (t) => {
	const registry = await RegistryDouble.start();
	t.after(() => registry.stop());
	const layer = Buffer.from('a layer that never arrives');
	const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
	registry.add('slow', 'latest', testImage({ layers: [layer], platform: { os: 'linux', architecture } }));
	const asked = Promise.withResolvers<void>();
	registry.fault = ({ url }, response) => {
		if (!url.includes('/blobs/')) return false;
		response.writeHead(200);
		response.flushHeaders();
		asked.resolve();
		return true;
	};
	const folder = testFolder(t);
	mkdirSync(join(folder, 'store'));
	const worker = openWorker(t, folder, ['/bin/sh', '-c', '"$0" "$@"; exit $?']);
	const pull = worker.call('pull', { image: `${registry.host}/slow`, pullSecrets: [] });
	const failed = assert.rejects(pull, /the server has ended/);
	await asked.promise;
	await worker.stop();
	await failed;
	assert.deepEqual(readdirSync(join(folder, 'store/sessions')), []);
});

test('a worker keeps no process alive that has nothing else to do', (t) => {
	const script = `
		const { ImageWorker } = await import(${JSON.stringify(join(import.meta.dirname, 'image-worker.ts'))});
		const { SystemClock } = await import(${JSON.stringify(join(import.meta.dirname, '../../../base/clock.ts'))});
		const settings = ${JSON.stringify(settingsIn(testFolder(t)))};
		const worker = new ImageWorker({ settings, clock: new SystemClock(), prefix: [], onError() {} });
		worker.call('copyRoot', ${JSON.stringify(UNKNOWN)}).catch(() => {});
	`;
	const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
		...{ encoding: 'utf8', timeout: 25_000 },
	});
	assert.equal(status, 0, stderr);
});
