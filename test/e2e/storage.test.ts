import assert from 'node:assert/strict';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import type { Finished } from '../support/processes.ts';
import { type StintServer, startStint } from '../support/stint-server.ts';

/** Volumes, claims and budgets with real kubectl, and with folders on the disk. */

function ok(finished: Finished): string {
	assert.equal(finished.code, 0, `${finished.stdout}\n${finished.stderr}`);
	return finished.stdout;
}

const CLAIM = `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec:
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Gi}}
---
apiVersion: v1
kind: Pod
metadata: {name: user}
spec:
  containers:
  - {name: main, image: busybox, command: [sleep, "600"]}
  volumes:
  - {name: data, persistentVolumeClaim: {claimName: data}}
`;

test('a claim gets a folder of the data folder, which its deletion removes', async (t) => {
	const server = await startStint(t);
	assert.match(
		ok(await server.kubectl('get', 'sc')),
		/^NAME +PROVISIONER +RECLAIMPOLICY +VOLUMEBINDINGMODE +ALLOWVOLUMEEXPANSION +AGE\nlocal \(default\) +stint.io\/local +Delete +WaitForFirstConsumer +true/,
	);
	ok(await server.kubectlWith(CLAIM, 'apply', '-f', '-'));
	ok(await server.kubectl('wait', '--for=jsonpath={.status.phase}=Bound', '--timeout=30s', 'pvc/data'));
	assert.match(
		ok(await server.kubectlWith(CLAIM, 'apply', '-f', '-')),
		/persistentvolumeclaim\/data unchanged/,
	);
	assert.match(
		ok(await server.kubectl('get', 'pvc', '-o', 'wide')),
		/NAME +STATUS +VOLUME +CAPACITY +ACCESS MODES +STORAGECLASS +VOLUMEATTRIBUTESCLASS +AGE +VOLUMEMODE\ndata +Bound +pvc-\S+ +1Gi +RWO +local +<unset> +\S+ +Filesystem/,
	);
	assert.match(
		ok(await server.kubectl('get', 'pv')),
		/pvc-\S+ +1Gi +RWO +Delete +Bound +default\/data +local +<unset>/,
	);
	assert.match(ok(await server.kubectl('describe', 'pvc', 'data')), /Used By: +user\n/);
	assert.match(ok(await server.kubectl('describe', 'pv')), /Type: +HostPath \(bare host directory volume\)/);
	assert.match(ok(await server.kubectl('describe', 'sc', 'local')), /IsDefaultClass: +Yes\n/);
	const [folder = ''] = readdirSync(join(server.folder, 'volumes'));
	assert.match(folder, /^pvc-\S+_default_data$/);
	assert.equal(statSync(join(server.folder, 'volumes', folder)).mode & 0o777, 0o777);
	ok(await server.kubectl('delete', 'pvc', 'data', '--wait=false'));
	assert.match(ok(await server.kubectl('get', 'pvc')), /data +Terminating/);
	ok(await server.kubectl('delete', 'pod', 'user', '--grace-period=0', '--force'));
	ok(await server.kubectl('wait', '--for=delete', '--timeout=30s', 'pv', '--all'));
	assert.ok(!existsSync(join(server.folder, 'volumes', folder)));
});

const WORKER = `
apiVersion: v1
kind: Pod
metadata: {name: worker, labels: {app: x}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - {name: main, image: busybox, command: [sleep, "600"]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: budget}
spec:
  minAvailable: 1
  selector: {matchLabels: {app: x}}
`;

async function allowed(server: StintServer, count: number): Promise<void> {
	const jsonpath = `--for=jsonpath={.status.disruptionsAllowed}=${count}`;
	ok(await server.kubectl('wait', jsonpath, '--timeout=30s', 'pdb/budget'));
}

test('a drain waits for the budget, and evicts once it allows that', async (t) => {
	const server = await startStint(t);
	ok(await server.kubectlWith(WORKER, 'apply', '-f', '-'));
	ok(await server.kubectl('wait', '--for=condition=Ready', '--timeout=30s', 'pod/worker'));
	ok(
		await server.kubectl('wait', '--for=jsonpath={.status.currentHealthy}=1', '--timeout=30s', 'pdb/budget'),
	);
	assert.match(
		ok(await server.kubectl('get', 'pdb')),
		/NAME +MIN AVAILABLE +MAX UNAVAILABLE +ALLOWED DISRUPTIONS +AGE\nbudget +1 +N\/A +0/,
	);
	assert.match(
		ok(await server.kubectl('describe', 'pdb', 'budget')),
		/Current: +1\n +Desired: +1\n +Total: +1\n/,
	);
	const node = ok(await server.kubectl('get', 'nodes', '-o', 'name'))
		.trim()
		.replace('node/', '');
	const blocked = await server.kubectl('drain', node, '--force', '--timeout=3s');
	assert.notEqual(blocked.code, 0);
	assert.match(blocked.stderr, /Cannot evict pod as it would violate the pod's disruption budget/);
	ok(await server.kubectl('patch', 'pdb', 'budget', '--type=merge', '-p', '{"spec":{"minAvailable":0}}'));
	await allowed(server, 1);
	assert.match(ok(await server.kubectl('drain', node, '--force', '--timeout=60s')), /pod\/worker evicted/);
});
