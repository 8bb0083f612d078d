import assert from 'node:assert/strict';
import test from 'node:test';
import { containerConfig } from '../testing/configs.ts';
import { type ImageDefaults, imageProgramOf } from './image-program.ts';

const IMAGE: ImageDefaults = {
	...{ entrypoint: ['/entry'], cmd: ['serve', '--all'], env: ['PATH=/image/bin', 'A=1=2', 'B=', '=x'] },
	...{ user: '', workingDir: '/app', stopSignal: '' },
};
const USER = { uid: 0, gid: 0, groups: [], home: '/root' };

function program(
	config: Parameters<typeof containerConfig>[0],
	image: Partial<ImageDefaults> = {},
): ReturnType<typeof imageProgramOf> {
	const given = { hostname: 'web', user: USER };
	return imageProgramOf(
		{ ...containerConfig({}), command: [], args: [], ...config },
		{ ...IMAGE, ...image },
		given,
	);
}

test('command replaces the whole program of the image, args only its arguments', () => {
	assert.deepEqual(program({})?.argv, ['/entry', 'serve', '--all']);
	assert.deepEqual(program({ args: ['x'] })?.argv, ['/entry', 'x']);
	assert.deepEqual(program({ command: ['c'] })?.argv, ['c']);
	assert.deepEqual(program({ command: ['c'], args: ['x'] })?.argv, ['c', 'x']);
	assert.equal(program({}, { entrypoint: [], cmd: [] }), undefined);
});

test('the environment is that of the image, then that of the Pod', () => {
	const env = program({ env: [{ name: 'B', value: 'pod' }] })?.env;
	assert.deepEqual(env, { PATH: '/image/bin', HOSTNAME: 'web', HOME: '/root', A: '1=2', B: 'pod' });
	assert.match(program({}, { env: [] })?.env.PATH ?? '', /^\/usr\/local\/sbin:/);
	assert.equal(program({ tty: true })?.env.TERM, 'xterm');
	assert.equal(program({}, { env: ['HOME=/image'] })?.env.HOME, '/image');
});

test('the working directory is that of the Pod, else of the image, else the root', () => {
	const directories = [program({ workingDir: '/pod' }), program({}), program({}, { workingDir: '' })];
	assert.deepEqual(
		directories.map((found) => found?.workingDir),
		['/pod', '/app', '/'],
	);
	// Never one of the launcher's folder.
	assert.equal(program({}, { workingDir: 'app/x' })?.workingDir, '/app/x');
	assert.equal(program({ workingDir: '../x' })?.workingDir, '/x');
});
