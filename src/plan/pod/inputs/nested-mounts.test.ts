import assert from 'node:assert/strict';
import test from 'node:test';
import { podWith } from '../testing/pod-with.ts';
import { nestedMountPoints } from './nested-mounts.ts';

function points(volume: string, ...mounts: readonly (readonly [string, string])[]): readonly string[] {
	const volumeMounts = mounts.map(([name, mountPath]) => ({ name, mountPath }));
	return nestedMountPoints(podWith({ containers: [{ name: 'c', volumeMounts }] }), volume);
}

test('a volume has the mount points of the volumes below it, but not those below them', () => {
	const mounts = [
		['v', '/dir'],
		['a', '/dir/nested/double'],
		['b', '/dir/nested'],
		['c', '/dir/nested-vol'],
		['d', 'dir//nested.vol/'],
		['e', '/dir2'],
		['f', '/dir/x/../../etc'],
	] as const;
	assert.deepEqual(points('v', ...mounts), ['nested', 'nested-vol', 'nested.vol']);
	assert.deepEqual(points('b', ...mounts), ['double']);
	assert.deepEqual(points('e', ...mounts), []);
	assert.deepEqual(points('r', ['r', '/'], ['x', '/etc/x'], ['y', '/../../y']), ['etc/x', 'y']);
});
