import assert from 'node:assert/strict';
import test from 'node:test';
import { podResolverFile } from './resolver.ts';

function fileWith(files: Readonly<Record<string, string>>): string {
	return podResolverFile((path) => files[path]);
}

const RESOLVED = '/run/systemd/resolve/resolv.conf';

test('a server at a loopback address of the machine is replaced by those that it asks', () => {
	const stub = '# stub\nnameserver 127.0.0.53\noptions edns0\n';
	assert.equal(fileWith({ '/etc/resolv.conf': stub, [RESOLVED]: 'nameserver 192.0.2.1\n' }), RESOLVED);
	assert.equal(fileWith({ '/etc/resolv.conf': stub }), '/etc/resolv.conf');
	const mixed = 'nameserver 127.0.0.1\nnameserver 192.0.2.1\n';
	assert.equal(fileWith({ '/etc/resolv.conf': mixed, [RESOLVED]: '' }), '/etc/resolv.conf');
	assert.equal(fileWith({ [RESOLVED]: '' }), '/etc/resolv.conf');
});
