import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { FlagError, parseFlags } from './flags.ts';
import { fingerprint } from './ssh-key.ts';

const KUARD = join(import.meta.dirname, 'kuard.ts');
const DONE = /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \(ID 0 (\d+\/\w+).*\) Item done: SHA256:[\w+/]{43}$/;

function start(...args: string[]): ChildProcess {
	const env = { ...process.env, KUARD_KEYGEN_BITS: '1024' };
	return spawn(process.execPath, [KUARD, ...args], { env, stdio: ['ignore', 'ignore', 'pipe'] });
}

async function run(...args: string[]): Promise<{ code: unknown; lines: readonly string[] }> {
	const child = start(...args);
	const exit = once(child, 'exit');
	const lines: string[] = [];
	if (child.stderr) for await (const line of createInterface({ input: child.stderr })) lines.push(line);
	return { code: (await exit)[0], lines };
}

/** Starts kuard on a free port; resolves once it serves. */
async function serve(...args: string[]): Promise<{ child: ChildProcess; url: string }> {
	const child = start('--address=127.0.0.1:0', ...args);
	if (child.stderr)
		for await (const line of createInterface({ input: child.stderr })) {
			const [, address] = / Serving on (\S+)$/.exec(line) ?? [];
			if (address) return { child, url: `http://${address}` };
		}
	throw new Error('kuard ended before it served');
}

test('kuard generates the requested number of keys, logs each, and exits with the requested code', async () => {
	const { code, lines } = await run(
		'--keygen-enable',
		'--keygen-exit-on-complete',
		'--keygen-num-to-gen=3',
		'--keygen-exit-code',
		'4',
	);
	assert.equal(code, 4);
	assert.deepEqual(
		lines.map((line) => DONE.exec(line)?.[1]).filter((count) => count !== undefined),
		['1/3', '2/3', '3/3'],
	);
	const texts = lines.filter((line) => !line.includes('erving')).map((line) => line.slice(20));
	assert.equal(texts.at(0), '(ID 0) Workload starting');
	assert.equal(texts.at(-1), '(ID 0) Workload exiting');
});

test('kuard stops after the requested time', async () => {
	const args = ['--keygen-enable', '--keygen-exit-on-complete', '--keygen-time-to-run=1'];
	const { code, lines } = await run(...args);
	assert.equal(code, 0);
	assert.ok(lines.some((line) => DONE.test(line) && / \d+\/Inf [01] seconds left\)/.test(line)));
});

test('a second kuard on the same machine serves on another port', async () => {
	const first = await serve();
	try {
		const address = `--address=${first.url.replace('http://', '')}`;
		const { code, lines } = await run(
			address,
			'--keygen-enable',
			'--keygen-exit-on-complete',
			'--keygen-num-to-gen=1',
		);
		assert.equal(code, 0);
		const [serving = '', ...others] = lines.map((line) => line.slice(20));
		assert.match(serving, /^Serving on 127\.0\.0\.1:\d+$/);
		assert.ok(!address.endsWith(serving.replace('Serving on ', '')), serving);
		assert.deepEqual(
			others.filter((line) => !line.startsWith('(ID 0')),
			[],
			'it is no error',
		);
	} finally {
		first.child.kill();
	}
});

test('kuard exits with the reason if the machine does not have the address', async () => {
	const { code, lines } = await run('--address=192.0.2.1:80');
	assert.equal(code, 1);
	assert.deepEqual(
		lines.map((line) => line.slice(20)),
		['listen EADDRNOTAVAIL: address not available 192.0.2.1:80'],
	);
});

test('kuard answers probes while it generates keys', async () => {
	const { child, url } = await serve('--keygen-enable');
	try {
		for (const path of ['/healthy', '/ready']) {
			const response = await fetch(url + path);
			assert.deepEqual([response.status, await response.text()], [200, 'ok']);
		}
		assert.equal((await fetch(`${url}/nothing`)).status, 404);
	} finally {
		child.kill();
	}
});

test('the broker serves queues', async () => {
	const { child, url } = await serve();
	const call = async (method: string, path: string, body?: string): Promise<[number, string]> => {
		const response = await fetch(`${url}/memq/server${path}`, {
			method,
			...(body !== undefined && { body }),
		});
		return [response.status, await response.text()];
	};
	const status = async (...args: Parameters<typeof call>): Promise<number> => (await call(...args))[0];
	try {
		assert.equal(await status('PUT', '/queues/keygen'), 200);
		assert.equal(await status('PUT', '/queues/keygen'), 400);
		assert.equal(await status('PUT', '/queues/'), 400);
		assert.equal(await status('POST', '/queues/none/enqueue', 'x'), 400);
		for (const body of ['one', 'two', 'three']) {
			const [code, text] = await call('POST', '/queues/keygen/enqueue', body);
			const message = JSON.parse(text);
			assert.deepEqual([code, message.kind, message.body], [200, 'message', body]);
			assert.ok(message.id && !Number.isNaN(Date.parse(message.creationTimestamp)));
		}
		assert.equal(JSON.parse((await call('POST', '/queues/keygen/dequeue'))[1]).body, 'one');
		assert.equal(await status('POST', '/queues/keygen/drain'), 200);
		assert.deepEqual(await call('POST', '/queues/keygen/dequeue'), [204, '']);
		const queues = [{ name: 'keygen', depth: 0, enqueued: 3, dequeued: 1, drained: 2 }];
		assert.deepEqual(JSON.parse((await call('GET', '/stats'))[1]), { kind: 'stats', queues });
		assert.equal(await status('DELETE', '/queues/keygen'), 200);
		assert.equal(await status('DELETE', '/queues/keygen'), 400);
	} finally {
		child.kill();
	}
});

test('consumers share the work of a queue and exit when it is empty', async () => {
	const { child, url } = await serve();
	try {
		const server = `${url}/memq/server`;
		await fetch(`${server}/queues/keygen`, { method: 'PUT' });
		for (let item = 0; item < 10; item++) {
			await fetch(`${server}/queues/keygen/enqueue`, { method: 'POST', body: `work item ${item}` });
		}
		const args = ['--keygen-enable', '--keygen-exit-on-complete', '--keygen-num-to-gen=1', '--address=:0'];
		const queue = [`--keygen-memq-server=${server}`, '--keygen-memq-queue=keygen'];
		const consumers = await Promise.all([run(...args, ...queue), run(...args, ...queue)]);
		const done = consumers.flatMap(({ lines }) => lines.filter((line) => line.includes('Item done')));
		assert.equal(done.length, 10);
		assert.deepEqual(
			consumers.map(({ code }) => code),
			[0, 0],
		);
	} finally {
		child.kill();
	}
});

test('the fingerprint equals that of ssh-keygen', () => {
	const n =
		'3cy8H41T0hHUr7zwYLVLo2sySC6bvXo5LHrnNgc-bJ7lc710Mhs3qrIwakc6fJhXRmuRhuR-VqCeMlzFLE7Ky6VsoT' +
		'PfBABMey_Dp-OCwENdy5hU8KivoGQf4x1XMaaHBfdOp-C3425oV0sjRuXrdHQFwttMOplL6JKMy6ixIG8';
	const publicKey = createPublicKey({ format: 'jwk', key: { kty: 'RSA', e: 'AQAB', n } });
	assert.equal(fingerprint(publicKey), 'SHA256:a0jrR08/ZPTZQEO6aEMyUlaTLXjMuDlF/bFI3b1UWHU');
});

test('flags are parsed as Go programs do, and invalid ones are reported', async () => {
	assert.equal(parseFlags(['--keygen-enable=false']).keygenEnable, false);
	assert.equal(parseFlags(['--keygen-num-to-gen', '10']).keygenNumToGen, 10);
	for (const wrong of [
		['--keygen'],
		['-x'],
		['run'],
		['--keygen-num-to-gen'],
		['--keygen-num-to-gen=ten'],
		['--keygen-enable=maybe'],
	]) {
		assert.throws(() => parseFlags(wrong), FlagError, wrong.join(' '));
	}
	assert.deepEqual(await run('--nonsense'), { code: 2, lines: ['unknown flag: --nonsense'] });
});

test('a kuard that only serves ends if its port is taken', async () => {
	const first = await serve();
	const { code, lines } = await run(`--address=${first.url.replace('http://', '')}`);
	assert.equal(code, 1);
	assert.match(lines.join(), /address already in use/);
	first.child.kill();
});

test('kuard listens on all addresses where its Pod has a network of its own, and on loopback elsewhere', async () => {
	const once = ['--address=:0', '--keygen-enable', '--keygen-exit-on-complete', '--keygen-num-to-gen=1'];
	assert.match((await run(...once)).lines[0] ?? '', /Serving on 127\.0\.0\.1:\d+$/);
	process.env.STINT_POD_NETWORK = 'pod';
	try {
		assert.match((await run(...once)).lines[0] ?? '', /Serving on 0\.0\.0\.0:\d+$/);
	} finally {
		delete process.env.STINT_POD_NETWORK;
	}
});
