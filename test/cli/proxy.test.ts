import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ProxyFlags, proxy } from '../../src/cli/commands/proxy.ts';
import { CliWorld } from './cli-world.ts';

const FLAGS: ProxyFlags = {
	...{ port: '8001', address: '127.0.0.1', apiPrefix: '/', acceptPaths: '^.*', rejectMethods: '^$' },
	...{ acceptHosts: '^localhost$', rejectPaths: '/exec' },
};

test('proxy serves the API until it is interrupted', async (t) => {
	const opened = await CliWorld.open(t);
	for (const [flags, line] of [
		[{}, '127.0.0.1:8001'],
		[{ port: '0', address: 'localhost' }, '127.0.0.1:12345'],
		[{ address: '::1' }, '[::1]:8001'],
	] as const) {
		const running = opened.start((context) => proxy(context, { ...FLAGS, ...flags }));
		await running.stdout.has(/Starting/);
		assert.deepEqual(opened.served?.filter({ method: 'GET', url: '/exec', host: 'localhost' }), {
			...{ type: 'refused', code: 403 },
		});
		running.interrupt('SIGTERM');
		const { code, stdout } = await running.ended;
		assert.deepEqual([code, stdout], [143, `Starting to serve on ${line}\n`]);
		assert.equal(opened.served, undefined);
	}
});

test('proxy listens on loopback addresses only, and says why it cannot', async (t) => {
	const opened = await CliWorld.open(t);
	const problem = async (flags: Partial<ProxyFlags>): Promise<string> => {
		const { code, stderr } = await opened.run((context) => proxy(context, { ...FLAGS, ...flags }));
		assert.equal(code, 1);
		return stderr;
	};
	assert.match(await problem({ address: '0.0.0.0' }), /0\.0\.0\.0 is not a loopback address/);
	assert.match(await problem({ port: '80000' }), /listen tcp: address 80000: invalid port/);
	assert.match(await problem({ port: '1' }), /listen tcp 127\.0\.0\.1:1: bind: address already in use/);
	assert.match(await problem({ acceptHosts: '(' }), /invalid regular expression: \(/);
});
