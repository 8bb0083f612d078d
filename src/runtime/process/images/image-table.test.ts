import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ImageError } from '../../contract.ts';
import { ImageTable } from './image-table.ts';

const folder = mkdtempSync(join(tmpdir(), 'stint-images-'));
after(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'images.yaml');

function write(text: string, at: number): void {
	writeFileSync(path, text);
	utimesSync(path, at, at);
}

test('the built-in table has the demo image with any tag, and its program exists', async () => {
	const table = new ImageTable(join(folder, 'missing.yaml'));
	for (const tag of ['', ':1', ':blue']) {
		const entry = await table.find(`gcr.io/kuar-demo/kuard-amd64${tag}`);
		assert.deepEqual(entry?.entrypoints, ['/kuard']);
		assert.ok(entry.command.slice(-1).every(existsSync));
	}
	assert.equal(await table.find('gcr.io/kuar-demo/other'), undefined);
});

test('the file extends the table, the first matching entry applies, and a changed file is read again', async () => {
	const table = new ImageTable(path);
	assert.equal(await table.find('acme/report'), undefined);
	write(
		[
			'images:',
			'  acme/report:1.2: [python3, old.py]',
			'  docker.io/acme/report:',
			'    command: [python3, report.py]',
			'    args: [--all, 3, 1.10]',
			'    entrypoints: [/app]',
			'    env: {LANG: C.UTF-8, LEVEL: 3}',
			'    workingDir: /srv',
			'  "quay.io/team/*": [run-it]',
			'  gcr.io/kuar-demo/kuard-amd64: [my-kuard]',
		].join('\n'),
		1000,
	);
	const command = async (image: string): Promise<readonly string[] | undefined> =>
		(await table.find(image))?.command;
	assert.deepEqual(await table.find('acme/report'), {
		image: 'docker.io/acme/report',
		command: ['python3', 'report.py'],
		args: ['--all', '3', '1.10'],
		entrypoints: ['/app'],
		env: { LANG: 'C.UTF-8', LEVEL: '3' },
		workingDir: '/srv',
	});
	assert.deepEqual(await command('acme/report:1.2'), ['python3', 'old.py']);
	assert.deepEqual(await command('acme/report:1.20'), ['python3', 'report.py']);
	assert.deepEqual(await command('quay.io/team/a/b:7'), ['run-it']);
	assert.deepEqual(await command('gcr.io/kuar-demo/kuard-amd64:1'), ['my-kuard']);
	assert.equal(await command('quay.io/teams/a'), undefined);
	write('images:\n', 2000);
	assert.equal(await command('acme/report'), undefined);
	assert.ok((await command('gcr.io/kuar-demo/kuard-amd64:1'))?.some((part) => part.includes('kuard.')));
});

test('an invalid file is an ImageError with path, line, column and field', async () => {
	const table = new ImageTable(path);
	const known = 'expected one of: command, args, entrypoints, env, workingDir';
	const wrong: readonly (readonly [string, string])[] = [
		['[a]', '1:1: the file: must be a map with the field "images"'],
		['- a: [x]\n', '1:1: the file: must be a map with the field "images"'],
		['text', '1:1: the file: must be a map with the field "images"'],
		['images: {a: [x]}\nimage: {}', '2:1: unknown field "image", expected one of: images'],
		['images: [a]', '1:9: images: must be a map from image names to programs'],
		['images:\n  a:\n    comand: [x]', `3:5: images["a"]: unknown field "comand", ${known}`],
		['images: {a: {args: [x]}}', '1:10: images["a"].command: must name the program to run'],
		['images: {a: {command: []}}', '1:23: images["a"].command: must name the program to run'],
		['images: {a: [""]}', '1:13: images["a"].command: must name the program to run'],
		['images: {a: python3}', '1:13: images["a"]: must be a list (the command) or a map'],
		['images: {a: 1}', '1:13: images["a"]: must be a list (the command) or a map'],
		['images: {a: }', '1:10: images["a"].command: must name the program to run'],
		['images: {a: {command: x}}', '1:23: images["a"].command: must be a list of strings'],
		['images: {a: [{}]}', '1:14: images["a"].command[0]: must be a string'],
		['images: {a: [x, ~]}', '1:17: images["a"].command[1]: must be a string'],
		['images: {a: {command: [x], env: [y]}}', '1:33: images["a"].env: must be a map of strings'],
		['images: {a: {command: [x], env: {Y: []}}}', '1:37: images["a"].env.Y: must be a string'],
		['images:\n\ta: [x]', '2:1: found a tab where YAML takes only spaces (indent with spaces)'],
		[
			'images: {a: [x]',
			"1:16: did not find expected ',' or '}' (entries in braces must be separated by commas)",
		],
		['images:\n  a: [x]\n  a: [y]', '3:3: duplicate key'],
		['images: {a: [x]}\n---\nb', '3:1: the file must contain a single YAML document'],
	];
	let at = 3000;
	for (const [text, message] of wrong) {
		write(text, at++);
		await assert.rejects(table.find('a'), (error) => {
			assert.ok(error instanceof ImageError);
			assert.equal(error.message, `${path}:${message}`);
			return true;
		});
	}
	write('images: {a: [x]}', at);
	assert.deepEqual((await table.find('a'))?.command, ['x']);
});

test('an invalid entry affects no other image, built-in or in the file', async () => {
	const table = new ImageTable(path);
	write('images: {wrong: python3, other: [run], "wrong/*": {comand: [x]}}', 9000);
	assert.deepEqual((await table.find('other'))?.command, ['run']);
	assert.ok(await table.find('gcr.io/kuar-demo/kuard-amd64:1'));
	assert.equal(await table.find('unknown'), undefined);
	await assert.rejects(table.find('wrong:2'), /:1:17: images\["wrong"\]: must be a list/);
	await assert.rejects(table.find('docker.io/wrong/a'), /unknown field "comand"/);
});

test('a device in place of the file is an ImageError, and is not read', async () => {
	const table = new ImageTable('/dev/zero');
	await assert.rejects(table.find('a'), ImageError);
});

test('the error for a missing image names the image, the field to set and the file', () => {
	const { message, reason } = new ImageTable(path).missing('nginx');
	assert.equal(reason, 'ErrImagePull');
	assert.match(message, /"nginx"/);
	assert.match(message, /"command"/);
	assert.ok(message.includes(path));
});

test('a malformed name is refused with the message of the kubelet', async () => {
	await assert.rejects(new ImageTable(path).find('UPPER:::bad'), {
		reason: 'InvalidImageName',
		message:
			'Failed to apply default image tag "UPPER:::bad": couldn\'t parse image name "UPPER:::bad": ' +
			'invalid reference format: repository name (library/UPPER) must be lowercase',
	});
});
