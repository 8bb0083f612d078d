import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { freePort } from '../../src/base/testing/free-port.ts';
import { atEnd, type Finished, ROOT } from '../support/processes.ts';
import { startStint } from '../support/stint-server.ts';

/** The work queue of the examples: a queue behind a Service, and a Job that empties it. */

function ok(finished: Finished): string {
	assert.equal(finished.code, 0, `${finished.stdout}\n${finished.stderr}`);
	return finished.stdout;
}

const MESSAGES = 20;

test('five Pods take the messages of a queue that they find by the name of its Service', async (t) => {
	const server = await startStint(t);
	const [port, own] = [await freePort(), await freePort()];
	const example = (name: string): string =>
		readFileSync(join(ROOT, 'examples/04-work-queue', name), 'utf8').replaceAll('8080', String(port));
	const queue = example('queue.yaml').replace(
		/( *)image: .*/,
		(line, indent) => `${line}\n${indent}args: ['--address=:${port}']`,
	);
	ok(await server.kubectlWith(queue, 'apply', '-f', '-'));
	atEnd(t, async () => void (await server.kubectl('delete', 'rs,svc,job', '-l', 'chapter=jobs', '--wait')));
	ok(await server.kubectl('wait', '--for=jsonpath={.status.readyReplicas}=1', '--timeout=60s', 'rs/queue'));
	const address = ok(await server.kubectl('get', 'svc', 'queue', '-o', 'jsonpath={.spec.clusterIP}'));
	const url = `http://${address}:${port}/memq/server`;
	// The address is served some turns after the endpoint is ready.
	let made: Response | undefined;
	for (let tries = 0; tries < 200 && made === undefined; tries++)
		made = await fetch(`${url}/queues/keygen`, { method: 'PUT' }).catch(() => undefined);
	assert.equal(made?.status, 200);
	for (let message = 0; message < MESSAGES; message++)
		await fetch(`${url}/queues/keygen/enqueue`, { method: 'POST', body: `message ${message}` });
	const consumers = example('consumers.yaml').replace(
		'- --keygen-enable',
		`- --address=:${own}\n            - --keygen-enable`,
	);
	ok(await server.kubectlWith(consumers, 'apply', '-f', '-'));
	ok(await server.kubectl('wait', '--for=condition=Complete', '--timeout=120s', 'job/consumers'));
	const stats = await (await fetch(`${url}/stats`)).json();
	assert.deepEqual(stats, {
		kind: 'stats',
		queues: [{ name: 'keygen', depth: 0, enqueued: MESSAGES, dequeued: MESSAGES, drained: 0 }],
	});
});
