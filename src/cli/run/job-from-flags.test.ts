import assert from 'node:assert/strict';
import test from 'node:test';
import { CommandError } from '../context.ts';
import { type JobFlags, jobFromFlags, refuseJobFlags } from './job-from-flags.ts';

const FLAGS: JobFlags = { image: 'kuard:1', env: [] };

test('the words after the name are the arguments of the image', () => {
	assert.deepEqual(jobFromFlags('oneshot', ['--keygen-enable', '3'], FLAGS), {
		apiVersion: 'batch/v1',
		kind: 'Job',
		metadata: { name: 'oneshot', labels: { run: 'oneshot' } },
		spec: {
			template: {
				metadata: { labels: { run: 'oneshot' } },
				spec: {
					restartPolicy: 'OnFailure',
					containers: [{ name: 'oneshot', image: 'kuard:1', args: ['--keygen-enable', '3'] }],
				},
			},
		},
	});
});

test('with --command the words are the command', () => {
	const job = jobFromFlags('x', ['/kuard', '--flag'], { ...FLAGS, command: true });
	assert.match(JSON.stringify(job), /"command":\["\/kuard","--flag"\]/);
	assert.doesNotMatch(JSON.stringify(job), /"args"/);
});

test('--image-pull-policy is that of the container', () => {
	const job = jobFromFlags('x', [], { ...FLAGS, imagePullPolicy: 'Never' });
	assert.match(JSON.stringify(job), /"image":"kuard:1","imagePullPolicy":"Never"/);
	assert.throws(
		() => jobFromFlags('x', [], { ...FLAGS, imagePullPolicy: 'never' }),
		new CommandError('invalid image pull policy: never. Use Always, IfNotPresent or Never'),
	);
	assert.throws(
		() => refuseJobFlags({ env: [], imagePullPolicy: 'Never' }),
		/^CommandError: --image-pull-policy /,
	);
});

test('counts, environment variables and labels are set in the Job', () => {
	const flags = {
		...FLAGS,
		env: ['A=b=c', 'B='],
		labels: 'x=y,z=',
		completions: '3',
		parallelism: '2',
		backoffLimit: '0',
	};
	const text = JSON.stringify(jobFromFlags('x', [], flags));
	assert.match(text, /"completions":3,"parallelism":2,"backoffLimit":0/);
	assert.match(text, /"env":\[\{"name":"A","value":"b=c"\},\{"name":"B","value":""\}\]/);
	assert.match(text, /"labels":\{"run":"x","x":"y","z":""\}/);
});

test('flags that give no valid Job are rejected with the reason', () => {
	const refused = (flags: Partial<JobFlags>, pattern: RegExp): void => {
		const { image, ...rest } = { ...FLAGS, ...flags };
		const all = image === '' ? rest : { ...rest, image };
		assert.throws(
			() => jobFromFlags('x', [], all),
			(error) => error instanceof CommandError && pattern.test(error.message),
		);
	};
	refused({ image: '' }, /--image not set/);
	refused({ restart: 'Always' }, /a Job must finish/);
	refused({ restart: 'never' }, /did you mean Never/);
	refused({ restart: 'Sometimes' }, /Use OnFailure or Never/);
	refused({ command: true }, /requires a command/);
	refused({ env: ['A'] }, /NAME=VALUE/);
	refused({ labels: 'a' }, /KEY=VALUE/);
	refused({ completions: '-1' }, /^--completions: must be a whole number, not "-1"$/);
	refused({ backoffLimit: 'a' }, /^--backoff-limit: must be a whole number, not "a"$/);
});

test('flags that describe a Job are rejected together with a manifest', () => {
	refuseJobFlags({ env: [] });
	const given: readonly [Partial<JobFlags>, string][] = [
		[{ image: 'a' }, '--image'],
		[{ restart: 'Never' }, '--restart'],
		[{ command: true }, '--command'],
		[{ env: ['A=b'] }, '--env'],
		[{ labels: 'a=b' }, '--labels'],
		[{ completions: '3' }, '--completions'],
		[{ parallelism: '2' }, '--parallelism'],
		[{ backoffLimit: '0' }, '--backoff-limit'],
	];
	for (const [flags, named] of given) {
		const message = `${named} describes a Job made from flags: with -f, set it in the manifest`;
		assert.throws(() => refuseJobFlags({ env: [], ...flags }), new CommandError(message));
	}
});

test('a program at a terminal is run once, unless flags say otherwise', () => {
	const specOf = (flags: Partial<JobFlags>): string =>
		JSON.stringify(jobFromFlags('x', [], { ...FLAGS, ...flags }).spec);
	const tty = { stdin: true, tty: true };
	assert.match(specOf({ stdin: true }), /^\{"template".*"restartPolicy":"OnFailure"/);
	assert.match(specOf(tty), /^\{"backoffLimit":0,.*"restartPolicy":"Never"/);
	assert.match(specOf({ ...tty, restart: 'Never' }), /^\{"backoffLimit":0,/);
	assert.match(specOf({ ...tty, backoffLimit: '2' }), /^\{"backoffLimit":2,/);
	assert.match(specOf({ ...tty, restart: 'OnFailure' }), /^\{"template".*"restartPolicy":"OnFailure"/);
});
