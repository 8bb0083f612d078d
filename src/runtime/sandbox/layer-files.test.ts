import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import type { LayerMarks } from '../../image/layers/layer-marks.ts';
import { testFolder } from '../../image/testing/trees.ts';
import { shimFile } from '../process/shim/shim-file.ts';
import { shimLayerFiles } from './layer-files.ts';

const NONE: LayerMarks = { whiteouts: [], opaques: [], owners: new Map(), xattrs: new Map(), implied: [] };
const SHIM = shimFile();

test('whiteouts are devices 0/0, and attributes are set', { skip: !SHIM }, async (t) => {
	const root = testFolder(t);
	mkdirSync(join(root, 'a'));
	writeFileSync(join(root, 'f'), '');
	const files = shimLayerFiles(SHIM ?? '', { overlays: 'user', onError: assert.ifError });
	const xattrs = new Map([['f', new Map([['user.colour', 'r\u00e9d']])]]);
	const marks = { ...NONE, whiteouts: ['a/gone', 'gone'], opaques: ['a', ''], xattrs };
	// Twice, as after a crash.
	for (let i = 0; i < 2; i++) assert.equal(await files.applyMarks(root, marks), true);
	for (const path of marks.whiteouts) {
		const { rdev } = lstatSync(join(root, path));
		assert.deepEqual([lstatSync(join(root, path)).isCharacterDevice(), rdev], [true, 0], path);
	}
	if (spawnSync('python3', ['--version']).status !== 0)
		return t.diagnostic('python3 is missing: attributes are not read');
	const read = (path: string, name: string): string =>
		execFileSync(
			'python3',
			['-c', 'import os,sys; sys.stdout.write(os.getxattr(*sys.argv[1:]).hex())', path, name],
			{
				encoding: 'utf8',
			},
		);
	assert.equal(read(join(root, 'a'), 'user.overlay.opaque'), '79');
	assert.equal(read(join(root, 'f'), 'user.colour'), Buffer.from('r\u00e9d', 'latin1').toString('hex'));
});

test('no path leads out of the layer, and no link is followed', { skip: !SHIM }, async (t) => {
	const root = testFolder(t);
	const outside = testFolder(t);
	symlinkSync(outside, join(root, 'link'));
	const errors: string[] = [];
	const onError = ({ message }: Error) => errors.push(message);
	const files = shimLayerFiles(SHIM ?? '', { overlays: 'user', onError });
	for (const path of ['../gone', 'link/gone'])
		assert.equal(await files.applyMarks(root, { ...NONE, whiteouts: [path] }), false, path);
	assert.equal(existsSync(join(outside, 'gone')), false);
	assert.equal(errors.length, 2);
	assert.match(errors[0] ?? '', /^the attributes and whiteouts of a layer could not be set: w: ./);
});
