import assert from 'node:assert/strict';
import test from 'node:test';
import type { Finished } from '../support/processes.ts';
import { startStint } from '../support/stint-server.ts';

/** Deployments and their relatives with real kubectl against a real server with real processes. */

function ok(finished: Finished): string {
	assert.equal(finished.code, 0, `${finished.stdout}\n${finished.stderr}`);
	return finished.stdout;
}

const CONTROLLER = `
apiVersion: v1
kind: ReplicationController
metadata: {name: old}
spec:
  replicas: 1
  template:
    metadata: {labels: {chapter: old}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: c, image: busybox, command: [sleep, "1000"]}]
`;

test('kubectl handles a Deployment from create to delete', async (t) => {
	const server = await startStint(t);
	const kubectl = async (...args: readonly string[]): Promise<string> => ok(await server.kubectl(...args));
	const rolledOut = async (): Promise<void> =>
		assert.match(
			await kubectl('rollout', 'status', 'deploy/web', '--timeout=60s'),
			/deployment "web" successfully rolled out\n$/,
		);

	await t.test('create makes Pods, which get all lists with their ReplicaSet', async () => {
		await kubectl('create', 'deployment', 'web', '--image=busybox', '--replicas=2', '--', 'sleep', '1000');
		await rolledOut();
		await kubectl('wait', '--for=condition=Available', '--timeout=60s', 'deploy/web');
		const all = await kubectl('get', 'all');
		assert.match(all, /^deployment\.apps\/web +2\/2 +2 +2 /m);
		assert.match(all, /^replicaset\.apps\/web-\w+ +2 +2 +2 /m);
		assert.equal(all.match(/^pod\/web-\w+-\w{5} +1\/1 +Running/gm)?.length, 2);
		assert.match(
			await kubectl('describe', 'deploy', 'web'),
			/NewReplicaSet: +web-\w+ \(2\/2 replicas created\)/,
		);
	});

	await t.test('changes are rolled out, undone, restarted and paused', async () => {
		await kubectl('set', 'env', 'deploy/web', 'A=1');
		await rolledOut();
		assert.match(await kubectl('rollout', 'history', 'deploy/web'), /^1 +<none>\n2 +<none>$/m);
		await kubectl('rollout', 'undo', 'deploy/web');
		await rolledOut();
		assert.match(await kubectl('rollout', 'history', 'deploy/web'), /^2 +<none>\n3 +<none>$/m);
		await kubectl('rollout', 'restart', 'deploy/web');
		await rolledOut();
		await kubectl('rollout', 'pause', 'deploy/web');
		await kubectl('rollout', 'resume', 'deploy/web');
		assert.equal((await kubectl('get', 'rs', '-l', 'app=web', '-o', 'name')).trim().split('\n').length, 3);
	});

	await t.test('scale and delete end its Pods', async () => {
		await kubectl('scale', 'deploy/web', '--replicas=3', '--current-replicas=2');
		await rolledOut();
		assert.match(await kubectl('get', 'deploy', 'web', '--subresource=scale'), /^web +3 +3 /m);
		await kubectl('scale', 'deploy/web', '--replicas=0');
		await kubectl('wait', '--for=delete', '--timeout=60s', 'pod', '-l', 'app=web');
		await kubectl('delete', 'deploy', 'web', '--cascade=foreground');
		assert.equal(await kubectl('get', 'rs', '-o', 'name'), '');
		assert.notEqual((await server.kubectl('autoscale', 'deploy', 'web', '--max=2')).code, 0);
	});

	await t.test('a ReplicationController is scaled and deleted by a selector', async () => {
		ok(await server.kubectlWith(CONTROLLER, 'apply', '-f', '-'));
		await kubectl('wait', '--for=jsonpath={.status.readyReplicas}=1', '--timeout=60s', 'rc/old');
		await kubectl('delete', 'rc,rs,job', '-l', 'chapter=old');
		await kubectl('wait', '--for=delete', '--timeout=60s', 'pod', '-l', 'chapter=old');
	});
});
