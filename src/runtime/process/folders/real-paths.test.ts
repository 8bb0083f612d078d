import assert from 'node:assert/strict';
import { mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { VirtualClock } from '../../../base/testing/virtual-clock.ts';
import { RealPaths } from './real-paths.ts';

test('a path is followed to where it leads, and again after a second', async (t) => {
	const folder = realpathSync(mkdtempSync(join(tmpdir(), 'stint-paths-')));
	t.after(() => rmSync(folder, { recursive: true }));
	const clock = new VirtualClock();
	const paths = new RealPaths(clock);
	const link = join(folder, 'link');
	assert.equal(await paths.of(link), link, 'nothing is there');
	symlinkSync(folder, link);
	assert.equal(await paths.of(link), link);
	await clock.advance(1000);
	assert.equal(await paths.of(link), folder);
});
