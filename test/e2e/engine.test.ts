import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { missingForContainerd } from '../../src/runtime/cri/testing/containerd.ts';
import { CriFixture } from '../../src/runtime/cri/testing/cri-fixture.ts';
import { missingFor } from '../../src/runtime/docker/testing/engine-daemon.ts';
import { EngineFixture } from '../../src/runtime/docker/testing/engine-fixture.ts';
import { ROOT, run, temporaryFolder } from '../support/processes.ts';
import { startStint } from '../support/stint-server.ts';

/** Jobs of a server whose containers an engine runs. */

/** A Job that continues once the file `go` is in its volume. */
function jobOf(image: string, hostPath: string): string {
	const script = 'echo "user $(id -u)"; until [ -e /data/go ]; do sleep 0.05; done; echo went on';
	const container = {
		name: 'main',
		image,
		imagePullPolicy: 'Always',
		command: ['sh', '-c', script],
		volumeMounts: [{ name: 'data', mountPath: '/data' }],
		resources: { limits: { memory: '64Mi', cpu: '500m' } },
	};
	const spec = {
		restartPolicy: 'Never',
		securityContext: { runAsUser: 1234, runAsNonRoot: true },
		containers: [container],
		volumes: [{ name: 'data', hostPath: { path: hostPath } }],
	};
	const job = { metadata: { name: 'job' }, spec: { backoffLimit: 0, template: { spec } } };
	return JSON.stringify({ apiVersion: 'batch/v1', kind: 'Job', ...job });
}

for (const name of ['docker', 'podman'] as const) {
	const skip = missingFor(name) ?? false;
	const fixture = new EngineFixture(name);
	after(() => fixture.close());
	test(`a Job of images runs in ${name}, and continues when the server is killed`, { skip }, async (t) => {
		const { engine, known: image } = await fixture.open();
		const args = ['--runtime', 'docker', '--runtime-endpoint', engine.socketPath];
		await jobContinues(t, { name, image, args });
	});
}

const criFixture = new CriFixture();
after(() => criFixture.close());
const noContainerd = { skip: missingForContainerd() ?? false };
test(
	'a Job of images runs in containerd, and continues when the server is killed',
	noContainerd,
	async (t) => {
		const { containerd, known: image } = await criFixture.open();
		const args = ['--runtime', `cri=unix://${containerd.socketPath}`];
		await jobContinues(t, { name: 'containerd', image, args });
	},
);

/** The flags of a server, and what its runtime is called and has. */
interface EngineServer {
	readonly name: string;
	readonly image: string;
	readonly args: readonly string[];
}

async function jobContinues(t: test.TestContext, { name, image, args }: EngineServer): Promise<void> {
	const folder = temporaryFolder(t);
	const data = temporaryFolder(t);
	// The container's user is not the owner.
	chmodSync(data, 0o755);
	const first = await startStint(t, { folder, args });
	const version = ['get', 'nodes', '-o', 'jsonpath={.items[0].status.nodeInfo.containerRuntimeVersion}'];
	assert.match((await first.stint(...version)).stdout, new RegExp(`^${name}://\\d`));
	const manifest = join(data, 'job.yaml');
	writeFileSync(manifest, jobOf(image, data));
	assert.equal((await first.stint('apply', '-f', manifest)).code, 0);
	const pulled = await first.kubectl(
		'wait',
		'pod',
		'-l=job-name=job',
		'--for=condition=Ready',
		'--timeout=30s',
	);
	assert.equal(pulled.code, 0, pulled.stderr);
	await first.stop('SIGKILL');
	writeFileSync(join(data, 'go'), '');
	const second = await startStint(t, { folder, args });
	const waited = await second.kubectl('wait', 'job/job', '--for=condition=Complete', '--timeout=30s');
	assert.equal(waited.code, 0, waited.stderr);
	assert.equal((await second.stint('logs', 'job/job')).stdout, 'user 1234\nwent on\n');
	const events = await second.stint('get', 'events');
	assert.match(events.stdout, /Successfully pulled image ".*stint\/test" in .* Image size: \d\d+ bytes\./);
	assert.equal((await second.stint('delete', 'job', 'job')).code, 0);
}

test('an endpoint without its runtime, or without an engine, ends the server with the reason', async (t) => {
	const start = (...args: string[]) =>
		run(join(ROOT, 'stint'), ['server', '--data-dir', temporaryFolder(t), '--port', '0', ...args]);
	const needless = await start('--runtime-endpoint', '/x');
	assert.equal(needless.code, 1);
	assert.match(needless.stderr, /^error: --runtime-endpoint: the runtime process has no endpoint/m);
	const missing = await start('--runtime', 'docker', '--runtime-endpoint', '/nowhere/engine.sock');
	assert.equal(missing.code, 1);
	assert.match(
		missing.stderr,
		/^error: the container engine at \/nowhere\/engine.sock cannot be reached: ENOENT/m,
	);
	const noRuntime = await start('--runtime', 'cri=unix:///nowhere/cri.sock');
	assert.match(noRuntime.stderr, /^error: the container runtime at \/nowhere\/cri.sock cannot be reached: /m);
	const remote = await start('--runtime', 'docker', '--runtime-endpoint', 'tcp://build:2375');
	assert.match(
		remote.stderr,
		/^error: --runtime-endpoint is "tcp:\/\/build:2375": only a socket of this machine/m,
	);
});
