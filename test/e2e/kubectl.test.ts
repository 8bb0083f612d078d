import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import test from 'node:test';
import type { KubeObject } from '../../src/api/meta/object-meta.ts';
import { type Finished, Running } from '../support/processes.ts';
import { type StintServer, startStint } from '../support/stint-server.ts';

/**
 * Real kubectl against a real server with real processes. It is the test that the API is Kubernetes' API:
 * kubectl sends protobuf, patches, watches and discovery requests as its own libraries build them.
 */

function job(name: string, command: readonly string[], spec = ''): string {
	return `
apiVersion: batch/v1
kind: Job
metadata: {name: ${name}, labels: {chapter: jobs}}
spec:
${spec}
  template:
    metadata: {labels: {chapter: jobs}}
    spec:
      restartPolicy: Never
      containers:
      - {name: main, image: busybox, command: ${JSON.stringify(command)}}
`;
}

function ok(finished: Finished): string {
	assert.equal(finished.code, 0, `${finished.stdout}\n${finished.stderr}`);
	return finished.stdout;
}

async function complete(server: StintServer, name: string): Promise<void> {
	ok(await server.kubectl('wait', '--for=condition=Complete', '--timeout=60s', `job/${name}`));
}

test('kubectl handles a Job from apply to delete', async (t) => {
	const server = await startStint(t);
	t.diagnostic((await server.kubectl('version')).stdout.trim().replaceAll('\n', ', '));
	const manifest = job('hello', ['sh', '-c', 'echo hello from $0']);

	await t.test('apply creates a Job, leaves it unchanged, and configures it', async () => {
		assert.match(ok(await server.kubectlWith(manifest, 'apply', '-f', '-')), /job.batch\/hello created/);
		assert.match(ok(await server.kubectlWith(manifest, 'apply', '-f', '-')), /job.batch\/hello unchanged/);
		const changed = manifest.replace('chapter: jobs}}\nspec', 'chapter: changed}}\nspec');
		assert.match(ok(await server.kubectlWith(changed, 'apply', '-f', '-')), /job.batch\/hello configured/);
		assert.equal(
			ok(await server.kubectl('get', 'job', 'hello', '-o', 'jsonpath={.metadata.labels.chapter}')),
			'changed',
		);
	});

	await t.test('wait waits for its completion, and get prints it in each format', async () => {
		await complete(server, 'hello');
		assert.match(
			ok(await server.kubectl('get', 'jobs')),
			/NAME +STATUS +COMPLETIONS +DURATION +AGE\nhello +Complete +1\/1/,
		);
		assert.match(
			ok(await server.kubectl('get', 'jobs', '-o', 'wide')),
			/CONTAINERS +IMAGES +SELECTOR\n.*main +busybox/,
		);
		assert.match(ok(await server.kubectl('get', 'job', 'hello', '-o', 'yaml')), /type: SuccessCriteriaMet/);
		const parsed = JSON.parse(ok(await server.kubectl('get', 'job', 'hello', '-o', 'json')));
		assert.equal(parsed.status.succeeded, 1);
		assert.equal(ok(await server.kubectl('get', 'job', '-o', 'name')), 'job.batch/hello\n');
		assert.match(
			ok(await server.kubectl('get', 'pods', '-l', 'job-name=hello')),
			/hello-\w{5} +0\/1 +Completed +0 /,
		);
		assert.match(ok(await server.kubectl('get', 'nodes')), / Ready /);
		assert.match(ok(await server.kubectl('get', 'ns')), /default +Active/);
		assert.match(ok(await server.kubectl('get', 'all')), /job.batch\/hello/);
		const raw = JSON.parse(
			ok(await server.kubectl('get', '--raw', '/apis/batch/v1/namespaces/default/jobs')),
		);
		assert.equal(raw.items[0].status.succeeded, 1);
		assert.equal(ok(await server.kubectl('get', '--raw', '/readyz')), 'ok');
	});

	await t.test('logs and describe show the finished Job', async () => {
		assert.equal(ok(await server.kubectl('logs', 'job/hello')), 'hello from sh\n');
		assert.equal(ok(await server.kubectl('logs', '-l', 'job-name=hello')), 'hello from sh\n');
		const described = ok(await server.kubectl('describe', 'job', 'hello'));
		assert.match(described, /Pods Statuses: +0 Active \(0 Ready\) \/ 1 Succeeded \/ 0 Failed/);
		assert.match(described, /Normal +SuccessfulCreate .*job-controller +Created pod: hello-/);
		assert.match(described, /Normal +Completed .*job-controller +Job completed/);
		const pod = ok(await server.kubectl('describe', 'pod', '-l', 'job-name=hello'));
		assert.match(pod, /Reason: +Completed/);
		assert.match(pod, /Successfully assigned default\/hello-/);
	});

	await t.test('get --raw prints the metrics', async () => {
		const text = ok(await server.kubectl('get', '--raw', '/metrics'));
		assert.match(text, /^kube_job_complete\{namespace="default",job_name="hello",condition="true"\} 1$/m);
		const finished = 'completion_mode="NonIndexed",result="succeeded",reason="CompletionsReached"';
		assert.ok(text.includes(`job_controller_jobs_finished_total{${finished}} 1\n`));
		assert.match(text, /^workqueue_adds_total\{name="job"\} [1-9]/m);
		assert.match(text, /^apiserver_request_total\{verb="POST",.*resource="pods",.*code="201"\} [1-9]/m);
		assert.match(text, /^process_cpu_seconds_total \d/m);
	});

	await t.test('delete deletes the Pods too', async () => {
		assert.match(ok(await server.kubectl('delete', 'job', 'hello')), /job.batch "hello" deleted/);
		ok(await server.kubectl('wait', '--for=delete', '--timeout=60s', 'pod', '-l', 'job-name=hello'));
		assert.match((await server.kubectl('get', 'pods')).stderr, /No resources found/);
	});
});

test('kubectl get -w prints each state of a Job as it is reached', async (t) => {
	const server = await startStint(t);
	const watch = new Running('kubectl', ['get', 'jobs', '-w', '--output-watch-events'], server.env);
	t.after(() => watch.child.kill());
	ok(await server.kubectlWith(job('seen', ['true']), 'apply', '-f', '-'));
	await watch.printed(/ADDED +seen/);
	await watch.printed(/MODIFIED +seen +Complete +1\/1/);
});

test('kubectl logs -f follows a running Pod to its end', async (t) => {
	const server = await startStint(t);
	const fifo = `${server.folder}/go`;
	const manifest = job('slow', ['sh', '-c', `mkfifo ${fifo}; echo first; read x < ${fifo}; echo second`]);
	ok(await server.kubectlWith(manifest, 'apply', '-f', '-'));
	ok(await server.kubectl('wait', '--for=jsonpath={.status.active}=1', 'job/slow', '--timeout=60s'));
	ok(
		await server.kubectl(
			'wait',
			'--for=jsonpath={.status.phase}=Running',
			'pod',
			'-l',
			'job-name=slow',
			'--timeout=60s',
		),
	);
	const logs = new Running('kubectl', ['logs', '-f', 'job/slow'], server.env);
	await logs.printed(/first/);
	assert.doesNotMatch(logs.stdout, /second/);
	await new Running('sh', ['-c', `echo go > ${fifo}`]).finished;
	const { code, stdout } = await logs.finished;
	assert.equal(code, 0);
	assert.equal(stdout, 'first\nsecond\n');
});

test('kubectl drain evicts the Pods of the node, which gets no others until kubectl uncordon', async (t) => {
	const server = await startStint(t, { args: ['--runtime', 'fake'] });
	const [node = ''] = ok(await server.kubectl('get', 'nodes', '-o', 'name')).split('\n');
	const policy = `
  backoffLimit: 0
  podFailurePolicy: {rules: [{action: Ignore, onPodConditions: [{type: DisruptionTarget}]}]}`;
	ok(await server.kubectlWith(job('long', ['sleep', 'infinity'], policy), 'apply', '-f', '-'));
	ok(await server.kubectl('run', 'bare', '--image=busybox', '--', 'sleep', 'infinity'));
	ok(await server.kubectl('wait', '--for=condition=Ready', 'pod', '--all', '--timeout=60s'));
	assert.match((await server.kubectl('drain', node)).stderr, /cannot delete.* default\/bare/);
	const drained = await server.kubectl('drain', node, '--ignore-daemonsets', '--force', '--timeout=60s');
	assert.match(ok(drained), /pod\/bare evicted/);
	assert.match(drained.stdout, /pod\/long-\w{5} evicted/);
	assert.match(ok(await server.kubectl('get', 'nodes')), / Ready,SchedulingDisabled /);
	ok(await server.kubectl('run', 'late', '--image=busybox', '--', 'sleep', 'infinity'));
	const unplaced = '--for=jsonpath={.status.conditions[0].reason}=Unschedulable';
	ok(await server.kubectl('wait', unplaced, 'pod/late', '--timeout=60s'));
	const failed = await server.kubectl('get', 'job', 'long', '-o', 'jsonpath={.status.failed}');
	assert.equal(ok(failed), '');
	ok(await server.kubectl('uncordon', node));
	ok(await server.kubectl('wait', '--for=condition=Ready', 'pod/late', '--timeout=60s'));
});

test('a node has a Lease, and a NoExecute taint evicts its Pods', async (t) => {
	const server = await startStint(t, { args: ['--runtime', 'fake'] });
	const [node = ''] = ok(await server.kubectl('get', 'nodes', '-o', 'name')).split('\n');
	const name = node.replace('node/', '');
	const leases = new Running('kubectl', ['get', 'leases', '-n', 'kube-node-lease', '-w'], server.env);
	await leases.printed(new RegExp(name));
	leases.child.kill();
	await leases.finished;
	assert.match(
		ok(await server.kubectl('describe', node)),
		new RegExp(`Lease:\\s+HolderIdentity:\\s+${name}\\s`),
	);
	ok(await server.kubectl('run', 'bare', '--image=busybox', '--', 'sleep', 'infinity'));
	ok(await server.kubectl('wait', '--for=condition=Ready', 'pod/bare', '--timeout=60s'));
	ok(await server.kubectl('taint', 'nodes', name, 'repair=now:NoExecute'));
	ok(await server.kubectl('wait', '--for=delete', 'pod/bare', '--timeout=60s'));
	assert.match(
		ok(await server.kubectl('get', 'events')),
		/TaintManagerEviction\s+pod\/bare\s+Marking for deletion/,
	);
});

test('kubectl create creates objects from flags, which it sends in protobuf from 1.32 on', async (t) => {
	const server = await startStint(t, { args: ['--runtime', 'fake'] });
	const create = async (...args: readonly string[]): Promise<string> =>
		ok(await server.kubectl('create', ...args)).trim();
	const get = async (kind: string, name: string): Promise<KubeObject & { readonly spec: object }> =>
		JSON.parse(ok(await server.kubectl('get', kind, name, '-o', 'json')));

	await t.test('a namespace', async () => {
		assert.equal(await create('namespace', 'team'), 'namespace/team created');
		assert.match(ok(await server.kubectl('get', 'namespace', 'team')), /team +Active/);
	});

	await t.test('a Job from flags is the same as from a manifest', async () => {
		const args = ['--image=busybox', '--', 'sh', '-c', 'echo "$0"', 'wörld'];
		assert.equal(await create('job', 'flags', ...args), 'job.batch/flags created');
		const manifest = await create('job', 'file', '--dry-run=client', '-o', 'yaml', ...args);
		ok(await server.kubectlWith(manifest, 'create', '-f', '-'));
		const [flags, file] = [await get('job', 'flags'), await get('job', 'file')];
		const text = JSON.stringify(flags.spec).replaceAll(flags.metadata.uid ?? '', file.metadata.uid ?? '');
		assert.deepEqual(JSON.parse(text.replaceAll('flags', 'file')), file.spec);
		await complete(server, 'flags');
	});

	await t.test('a CronJob, and a Job from it that it owns', async () => {
		const args = ['--image=busybox', '--schedule=0 3 * * *', '--', 'true'];
		assert.equal(await create('cronjob', 'nightly', ...args), 'cronjob.batch/nightly created');
		assert.equal(await create('job', 'now', '--from=cronjob/nightly'), 'job.batch/now created');
		await complete(server, 'now');
		assert.match(ok(await server.kubectl('get', 'jobs')), /^now +Complete +1\/1/m);
		const [cronJob, { metadata }] = [await get('cronjob', 'nightly'), await get('job', 'now')];
		assert.equal(metadata.annotations?.['cronjob.kubernetes.io/instantiate'], 'manual');
		const { uid } = cronJob.metadata;
		const owner = { apiVersion: 'batch/v1', kind: 'CronJob', name: 'nightly', uid, controller: true };
		assert.deepEqual(metadata.ownerReferences, [owner]);
		// The CronJob controller counts the Job, as upstream's does, although it did not create it.
		const counted = '--for=jsonpath={.status.lastSuccessfulTime}';
		ok(await server.kubectl('wait', counted, 'cronjob/nightly', '--timeout=60s'));
		ok(await server.kubectl('delete', 'cronjob', 'nightly'));
		ok(await server.kubectl('wait', '--for=delete', 'job/now', '--timeout=60s'));
	});
});

test('an invalid manifest gets upstream’s error', async (t) => {
	const server = await startStint(t);
	const apply = async (manifest: string): Promise<string> => {
		const { code, stderr } = await server.kubectlWith(manifest, 'apply', '-f', '-');
		assert.notEqual(code, 0);
		return stderr;
	};
	assert.match(
		await apply(job('bad', ['true'], '  backofLimit: 3')),
		/strict decoding error: unknown field "spec.backofLimit"/,
	);
	assert.match(
		await apply(job('bad', ['true']).replace('Never', 'never')),
		/spec.template.spec.restartPolicy: Unsupported value: "never": supported values: "OnFailure", "Never"/,
	);
	assert.match(
		await apply(job('bad', ['true'], '  parallelism: many')),
		/cannot unmarshal string into Go struct field/,
	);
	assert.match(await apply(job('bad', ['true'], '  completions: -1')), /must be greater than or equal to 0/);
	assert.match((await server.kubectl('get', 'jobs')).stderr, /No resources found/);
});

test('only its owner can read the data folder', async (t) => {
	const server = await startStint(t);
	assert.equal((await stat(server.folder)).mode & 0o777, 0o700);
	assert.equal((await stat(server.kubeconfig)).mode & 0o777, 0o600);
	assert.equal((await stat(`${server.folder}/state.db`)).mode & 0o777, 0o600);
});
