import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { SystemClock } from '../../base/clock.ts';
import { removeTree } from '../../base/files/remove-tree.ts';
import { ContainerStartError } from '../contract.ts';
import { containerConfig, sandboxConfig } from '../testing/configs.ts';
import { processTraits } from './honoured.ts';
import { LauncherRuntime } from './launcher-runtime.ts';
import type { ProgramSource } from './program-source.ts';
import { withoutBox } from './shim/probe.ts';

/** A source that makes something for each container, and then fails. */
class FailingSource implements ProgramSource {
	readonly name = 'failing';
	readonly made = new Set<string>();

	async start() {
		return withoutBox('');
	}

	traitsOn(machine: Parameters<typeof processTraits>[0]) {
		return processTraits(machine);
	}

	async pull() {
		return { imageRef: '', sizeBytes: 0 };
	}

	async statusOf() {
		return { imageRef: '' };
	}

	async prepare(id: string): Promise<never> {
		this.made.add(id);
		throw new ContainerStartError('CreateContainerError', 'the disk is full');
	}

	async release(ids: readonly string[]) {
		for (const id of ids) this.made.delete(id);
	}

	async releaseOthers() {}

	async stop() {}
}

test('what was made for a container that could not be created is released with its sandbox', async (t) => {
	const root = mkdtempSync(join(tmpdir(), 'stint-runtime-'));
	t.after(() => removeTree(root));
	const source = new FailingSource();
	const runtime = new LauncherRuntime({
		...{ folder: join(root, 'launcher'), clock: new SystemClock(), version: 'test', withoutShim: true },
		...{ source, onError: assert.ifError },
	});
	await runtime.start();
	t.after(() => runtime.stop({ killAll: true }));
	const { id } = await runtime.runSandbox(sandboxConfig('a'));
	await assert.rejects(runtime.createContainer(id, containerConfig()), /the disk is full/);
	assert.equal(source.made.size, 1);
	await runtime.removeSandbox(id);
	assert.equal(source.made.size, 0);
});
