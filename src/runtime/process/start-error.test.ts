import assert from 'node:assert/strict';
import { constants } from 'node:os';
import test from 'node:test';
import { StartFailure } from './shim/shim-failure.ts';
import { describeStartError } from './start-error.ts';

const MISSING = new StartFailure({ errno: constants.errno.ENOENT, step: 'exec', detail: '' });
const BOX = { root: { folder: '/c/root' } };

function program(file: string) {
	return { argv: [file], env: { PATH: '/usr/bin:/bin' }, workingDir: '/' };
}

test('a missing program is looked up on the machine if that has the files of the container', async () => {
	assert.equal(await describeStartError(MISSING, program('sh')), 'exec: "sh": no such file or directory');
	assert.equal(
		await describeStartError(MISSING, program('/bin/sh')),
		'exec: "/bin/sh": no such file or directory',
	);
	const name = 'no-such-program-anywhere';
	const expected = `exec: "${name}": executable file not found in $PATH`;
	assert.equal(await describeStartError(MISSING, program(name)), expected);
});

test('a program that an image lacks is not looked up on the machine', async () => {
	const missing = 'exec: "sh": executable file not found in $PATH';
	assert.equal(await describeStartError(MISSING, program('sh'), BOX), missing);
	const stat = 'exec: "/bin/sh": stat /bin/sh: no such file or directory';
	assert.equal(await describeStartError(MISSING, program('/bin/sh'), BOX), stat);
});
