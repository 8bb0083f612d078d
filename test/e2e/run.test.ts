import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { processesWith } from '../support/process-table.ts';
import { type Finished, ROOT, Running, run, temporaryFolder } from '../support/processes.ts';
import { startStint } from '../support/stint-server.ts';

/**
 * `stint run` without a server, as a new user starts it: it starts an embedded one, runs the manifest or the
 * flags, and leaves nothing behind.
 */

const STINT = join(ROOT, 'stint');

/** Runs `./stint run` like a new user without a server: with an empty home and a bare environment. */
function stintRun(t: test.TestContext, args: readonly string[], input = ''): Promise<Finished> {
	return run(STINT, ['run', ...args], { env: bareEnvironment(t), input });
}

function bareEnvironment(t: test.TestContext): NodeJS.ProcessEnv {
	return { HOME: temporaryFolder(t), PATH: process.env.PATH };
}

function example(name: string): string {
	return join(ROOT, 'examples', name, 'job.yaml');
}

function manifest(name: string, script: string, spec = 'backoffLimit: 0'): string {
	return `
apiVersion: batch/v1
kind: Job
metadata: {name: ${name}}
spec:
  ${spec}
  template:
    spec:
      restartPolicy: Never
      containers:
      - {name: main, image: busybox, command: [sh, -c, ${JSON.stringify(script)}]}
`;
}

test('the one-shot example creates its keys', async (t) => {
	const { code, stdout, stderr } = await stintRun(t, ['-f', example('01-oneshot')]);
	assert.equal(code, 0, stderr);
	assert.match(stdout, /3\/3\) Item done: SHA256:/);
});

test('the parallel example completes ten times, five at a time', async (t) => {
	const { code, stdout, stderr } = await stintRun(t, ['-f', example('02-parallel')]);
	assert.equal(code, 0, stderr);
	const pods = new Set(stdout.match(/parallel-\w{5}/g));
	assert.equal(pods.size, 10, stdout);
});

test('the flaky example succeeds without failures and fails at its backoffLimit', async (t) => {
	const flaky = readFileSync(example('03-flaky'), 'utf8');
	const lucky = await stintRun(t, ['-f', '-'], flaky.replace('"0.4"', '"1"'));
	assert.equal(lucky.code, 0, lucky.stderr);
	assert.match(lucky.stdout, /INFO:root:Task succeeded/);
	const hopeless = flaky.replace('"0.4"', '"0"').replace('backoffLimit: 10', 'backoffLimit: 0');
	const failed = await stintRun(t, ['-f', '-'], hopeless);
	assert.notEqual(failed.code, 0);
	assert.match(failed.stdout + failed.stderr, /BackoffLimitExceeded/);
	assert.match(failed.stdout + failed.stderr, /exit code 1/);
});

test('run of an unknown image prints how to map it to a program', async (t) => {
	const unknown = manifest('unknown', '')
		.replace(/, command: .*/, '}')
		.replace('busybox', 'example.com/some/tool:2');
	const running = new Running(STINT, ['run', '-f', '-'], bareEnvironment(t));
	running.child.stdin.end(unknown);
	await running.printed(/images\.yaml/);
	running.child.kill('SIGINT');
	assert.notEqual((await running.finished).code, 0);
});

test('run creates a Job from name, image and arguments', async (t) => {
	const image = '--image=gcr.io/kuar-demo/kuard-amd64:blue';
	const keygen = ['--keygen-enable', '--keygen-exit-on-complete', '--keygen-num-to-gen', '1'];
	const { code, stdout, stderr } = await stintRun(t, [
		'-i',
		'oneshot',
		image,
		'--restart=OnFailure',
		'--',
		...keygen,
	]);
	assert.equal(code, 0, stderr);
	assert.match(stdout, /1\/1\) Item done: SHA256:/);
	const command = ['-i', 'oneshot', image, '--restart=OnFailure', '--command', '/kuard', '--', ...keygen];
	const second = await stintRun(t, command);
	assert.equal(second.code, 0, second.stderr);
});

test('Ctrl-C stops everything that run has started', async (t) => {
	const marker = `STINT_TEST_${process.pid}_${Math.trunc(performance.now())}`;
	const script = `export ${marker}=1; trap "" TERM; echo up; sleep 1000 & wait; sleep 1000`;
	const env = bareEnvironment(t);
	const running = new Running(STINT, ['run', '-f', '-'], env);
	const quick = manifest('endless', script).replace(
		'restartPolicy',
		'terminationGracePeriodSeconds: 1\n      restartPolicy',
	);
	running.child.stdin.end(quick);
	await running.printed(/up/);
	assert.ok(processesWith(marker).length > 0);
	running.child.kill('SIGINT');
	assert.notEqual((await running.finished).code, 0);
	assert.deepEqual(processesWith(marker), []);
	assert.deepEqual(processesWith(env.HOME ?? ''), []);
});

/** Runs a Pod that only SIGKILL ends, with a temporary folder of its own; resolves once the Pod runs. */
async function startEndless(t: test.TestContext, command: string, args: readonly string[]) {
	const marker = `STINT_TEST_${process.pid}_${Math.trunc(performance.now())}`;
	const script = `export ${marker}=1; trap "" TERM; setsid sleep 1000 & while echo up; do sleep 0.1; done`;
	const temporary = temporaryFolder(t);
	const env = { ...bareEnvironment(t), TMPDIR: temporary };
	const running = new Running(command, args, env);
	running.child.stdin.end(
		manifest('endless', script).replace(
			'restartPolicy',
			'terminationGracePeriodSeconds: 1\n      restartPolicy',
		),
	);
	await running.printed(/up/);
	/** Resolves once none of its processes and files exist any more. */
	const gone = async (): Promise<void> => {
		const left = (): number => processesWith(marker).length + processesWith(temporary).length;
		const deadline = performance.now() + 20_000;
		while (left() > 0 || readdirSync(temporary).length > 0) {
			assert.ok(performance.now() < deadline, `${left()} processes, ${readdirSync(temporary)}`);
			await new Promise(setImmediate);
		}
	};
	return { running, gone };
}

test('a killed run leaves no process, no launcher and no folder', async (t) => {
	const { running, gone } = await startEndless(t, STINT, ['run', '--embedded', '-f', '-']);
	running.child.kill('SIGKILL');
	await running.finished;
	await gone();
});

test('a run whose pipe is closed leaves no process and no folder', async (t) => {
	const { running, gone } = await startEndless(t, 'sh', ['-c', '"$0" run --embedded -f - | head -3', STINT]);
	await running.finished;
	await gone();
});

test('run refuses an invalid manifest with field, file and line, and applies nothing', async (t) => {
	const folder = temporaryFolder(t);
	const refused = async (text: string): Promise<string> => {
		const file = join(folder, 'job.yaml');
		writeFileSync(file, text);
		const { code, stdout, stderr } = await stintRun(t, ['-f', file]);
		assert.notEqual(code, 0, stdout);
		assert.doesNotMatch(stdout, /created/);
		return stderr;
	};
	const good = manifest('good', 'echo never');
	const lineOf = (text: string, part: string): number => text.slice(0, text.indexOf(part)).split('\n').length;

	const unknown = good.replace('backoffLimit', 'backofLimit');
	const unknownError = await refused(unknown);
	assert.match(unknownError, /unknown field "spec.backofLimit"/);
	assert.match(unknownError, new RegExp(`job.yaml:${lineOf(unknown, 'backofLimit')}`));
	assert.match(unknownError, /did you mean "?backoffLimit/);

	const never = good.replace('Never', 'never');
	const neverError = await refused(never);
	assert.match(neverError, /spec.template.spec.restartPolicy: Unsupported value: "never"/);
	assert.match(neverError, new RegExp(`job.yaml:${lineOf(never, 'restartPolicy')}`));
	assert.match(neverError, /did you mean "?Never/);

	assert.match(await refused(good.replace('backoffLimit: 0', 'backoffLimit: many')), /job.yaml:6/);
	assert.match(await refused(good.replace('  template:', '\ttemplate:')), /tab/i);
	assert.match(await refused(`${good}\n---\n${never.replace('good', 'bad')}`), /restartPolicy/);
});

test('run and logs -f print each line once across restarts of the server, orderly and by a kill', async (t) => {
	const folder = temporaryFolder(t);
	const script = 'i=0; while [ $i -lt 40 ]; do i=$((i+1)); echo line $i; sleep 0.2; done';
	const file = join(temporaryFolder(t), 'job.yaml');
	writeFileSync(file, manifest('count', script));
	let server = await startStint(t, { folder });
	const { port } = new URL(server.url);
	const running = new Running(STINT, ['run', '-f', file], server.env);
	const [, pod = ''] = await running.printed(/\[(count-\w+)\] line 3\n/);
	const following = new Running(STINT, ['logs', '-f', pod], server.env);
	await following.printed(/line 5\n/);
	for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
		await server.stop(signal);
		await running.printed(/retrying/);
		server = await startStint(t, { folder, args: ['--port', port] });
	}
	const numbers = Array.from({ length: 40 }, (_, index) => index + 1);
	const ran = await running.finished;
	assert.equal(ran.stdout, numbers.map((number) => `[${pod}] line ${number}\n`).join(''));
	assert.equal(ran.code, 0);
	assert.doesNotMatch(ran.stderr, /cannot be read/);
	const followed = await following.finished;
	assert.equal(followed.stdout, numbers.map((number) => `line ${number}\n`).join(''), followed.stderr);
	assert.equal(followed.code, 0);
});
