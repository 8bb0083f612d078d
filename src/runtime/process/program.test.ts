import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerConfig } from '../../api/contract/container-config.ts';
import { containerConfig } from '../testing/configs.ts';
import type { ImageEntry } from './images/image-entry.ts';
import type { HostProgram } from './launcher/protocol.ts';
import { programOf } from './program.ts';

const ENTRY: ImageEntry = {
	image: 'demo',
	command: ['node', 'demo.ts'],
	args: ['--default'],
	entrypoints: ['/demo'],
	env: { MODE: 'table', KEEP: 'yes' },
	workingDir: '/srv',
};

function resolve(
	config: Partial<ContainerConfig>,
	given: { entry?: ImageEntry; path?: string } = {},
): HostProgram | undefined {
	return programOf(containerConfig({ name: 'c', image: 'demo', ...config }), {
		hostname: 'pod-1',
		entry: given.entry,
		host: { path: given.path ?? '/bin:/usr/bin', home: '/home/me' },
	});
}

test('a command of the Pod applies whatever the image', () => {
	assert.deepEqual(resolve({ command: ['sh', '-c'], args: ['true'] })?.argv, ['sh', '-c', 'true']);
	assert.deepEqual(resolve({ command: ['sh'] }, { entry: ENTRY })?.argv, ['sh']);
});

test('without a command the entry of the image table applies, with the args of the Pod or else its own', () => {
	assert.deepEqual(resolve({}, { entry: ENTRY })?.argv, ['node', 'demo.ts', '--default']);
	assert.deepEqual(resolve({ args: ['-x'] }, { entry: ENTRY })?.argv, ['node', 'demo.ts', '-x']);
	assert.equal(resolve({ args: ['-x'] }), undefined);
});

test("the image's entrypoint, given as a command, is the table's program", () => {
	const given = { command: ['/demo', '-a'], args: ['-b'] };
	assert.deepEqual(resolve(given, { entry: ENTRY })?.argv, ['node', 'demo.ts', '-a', '-b']);
	assert.deepEqual(resolve(given)?.argv, ['/demo', '-a', '-b']);
});

test('the environment has the documented variables and inherits none of the server', () => {
	process.env.STINT_TEST_SECRET = 'secret';
	assert.deepEqual(resolve({ command: ['env'] })?.env, {
		PATH: '/bin:/usr/bin',
		HOME: '/home/me',
		HOSTNAME: 'pod-1',
	});
	const env = [
		{ name: 'MODE', value: 'pod' },
		{ name: 'HOME', value: '/' },
	];
	assert.deepEqual(resolve({ env, tty: true }, { entry: ENTRY })?.env, {
		PATH: '/bin:/usr/bin',
		HOME: '/',
		HOSTNAME: 'pod-1',
		TERM: 'xterm',
		MODE: 'pod',
		KEEP: 'yes',
	});
});

test('a variable tells a program that its Pod has a network of its own', () => {
	const given = { hostname: 'pod-1', entry: undefined, host: { path: '/bin', home: '/' }, hasNetwork: true };
	const config = containerConfig({ name: 'c', image: 'demo', command: ['env'] });
	assert.equal(programOf(config, given)?.env.STINT_POD_NETWORK, 'pod');
});

test('the PATH has only absolute folders, and a default if the user has none', () => {
	assert.equal(resolve({ command: ['x'] }, { path: '.:/bin::node_modules/.bin' })?.env.PATH, '/bin');
	assert.match(resolve({ command: ['x'] }, { path: '' })?.env.PATH ?? '', /^\/usr\/local\/sbin:.*:\/bin$/);
});

test("the working directory is the Pod's, else the table's, else the sandbox's own", () => {
	assert.equal(resolve({ command: ['x'], workingDir: '/tmp' }, { entry: ENTRY })?.workingDir, '/tmp');
	assert.equal(resolve({ command: ['x'] }, { entry: ENTRY })?.workingDir, '/srv');
	assert.equal(resolve({ command: ['x'] })?.workingDir, '');
});
