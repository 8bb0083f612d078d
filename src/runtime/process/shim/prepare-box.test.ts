import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { SystemClock } from '../../../base/clock.ts';
import { containerConfig } from '../../testing/configs.ts';
import { RealPaths } from '../folders/real-paths.ts';
import { type PreparedConfig, prepareBox } from './prepare-box.ts';

function mountedAt(containerPath: string): PreparedConfig {
	const mount = { hostPath: '/v', subPath: '', containerPath, readOnly: false };
	const rest = { recursiveReadOnly: 'Disabled', propagation: 'None' } as const;
	return { ...containerConfig({}), mounts: [{ ...mount, ...rest }] };
}

function folderOf(t: TestContext): string {
	const folder = mkdtempSync(join(tmpdir(), 'stint-box-'));
	t.after(() => rmSync(folder, { recursive: true }));
	return folder;
}

test('a volume that would hide the working folder of the container is refused', async (t) => {
	const folder = folderOf(t);
	const data = join(folder, 'data');
	const runtime = join(data, 'runtime');
	mkdirSync(runtime, { recursive: true });
	symlinkSync(data, join(folder, 'link'));
	const workFolder = { path: runtime, realPaths: new RealPaths(new SystemClock()) };
	for (const path of [folder, `${data}/`, runtime, join(runtime, 'sandboxes'), join(folder, 'link')]) {
		const refused = {
			reason: 'CreateContainerConfigError',
			message: `a volume at ${path.replace(/\/$/, '')} would hide the folder ${runtime}, in which the container would work: set workingDir, or mount it at another path`,
		};
		await assert.rejects(prepareBox(mountedAt(path), workFolder), refused);
		// The container has a working directory of its own.
		await prepareBox(mountedAt(path), undefined);
	}
	for (const path of ['/data', `${data}-2`, join(data, 'pods')])
		await prepareBox(mountedAt(path), workFolder);
});

test('a volume at the root is refused, whatever the working directory is', async () => {
	await assert.rejects(prepareBox(mountedAt('//.'), undefined), { reason: 'CreateContainerConfigError' });
});
