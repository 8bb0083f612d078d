import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { Mount } from '../../api/contract/container-config.ts';
import { ContainerStartError } from '../contract.ts';
import type { ProcessRuntime } from './process-runtime.ts';
import { type HostHarness, openHost, outputOf, run } from './testing/host-harness.ts';

function mountOf(hostPath: string, containerPath: string): Mount {
	const rest = { subPath: '', readOnly: false, recursiveReadOnly: 'Disabled', propagation: 'None' } as const;
	return { hostPath, containerPath, ...rest };
}

describe('a mount point that this machine lacks', { skip: process.platform !== 'linux' }, () => {
	let machine: HostHarness;
	let runtime: ProcessRuntime;
	let folder: string;
	let made = 0;
	beforeEach(async () => {
		machine = openHost();
		runtime = machine.connect();
		await runtime.start();
		folder = mkdtempSync(join(tmpdir(), 'stint-mounts-'));
		mkdirSync(join(folder, 'volume'));
		mkdirSync(join(folder, 'home'), { mode: 0o755 });
		writeFileSync(join(folder, 'volume/file'), 'content\n');
	});
	afterEach(async () => {
		await machine.close();
		rmSync(folder, { recursive: true, force: true });
	});

	const read = async (target: string, script: string): Promise<string> => {
		const mounts = [mountOf(join(folder, 'volume'), target)];
		const name = `c${made++}`;
		const exited = await run(
			runtime,
			machine.script(script, { mounts, name, logPath: machine.logPath(name) }),
		);
		return await outputOf(machine, exited);
	};

	test('exists for the container alone, however its path is written', async (t) => {
		if (runtime.traits.honours !== 'everything' && !runtime.traits.honours.has('spec.volumes'))
			return t.skip('this machine allows no boxes');
		for (const path of ['a/b', 'a/../c', '../stint-mount-escape/x', '../../tmp/stint-mount-escape']) {
			const target = `${folder}/home/${path}`;
			assert.equal(await read(target, `cat ${join(folder, 'home', path)}/file`), 'content\n', path);
			assert.ok(!existsSync(join(folder, 'home', path)), `${path} was made on this machine`);
		}
		assert.ok(!existsSync('/tmp/stint-mount-escape'));
	});

	test('leaves the folder above it as large, and with its owner and mode', async (t) => {
		if (runtime.traits.honours !== 'everything' && !runtime.traits.honours.has('spec.volumes'))
			return t.skip('this machine allows no boxes');
		const home = join(folder, 'home');
		const script = `stat -c '%u %g %a' ${home}; head -c 3000000 /dev/zero > ${home}/new && echo written`;
		const { uid, gid } = statSync(home);
		assert.equal(await read(`${home}/cache`, script), `${uid} ${gid} 755\nwritten\n`);
		assert.ok(!existsSync(join(home, 'new')));
	});

	test('must not be the root', async () => {
		await assert.rejects(read('/x/..', 'true'), ContainerStartError);
	});
});
