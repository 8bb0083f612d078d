import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import type { Command } from 'commander';
import { parseAllDocuments } from 'yaml';
import { cliContext } from '../../src/main/cli-context.ts';
import { makeProgram } from '../../src/main/program.ts';
import { ROOT, run, temporaryFolder } from '../support/processes.ts';

/** The recipes of docs/ci.md: they are YAML, their shell scripts parse, and what they call of stint exists. */

const TEXT = readFileSync(join(ROOT, 'docs/ci.md'), 'utf8');

/** The code blocks in a language, without the indentation of the list that they are in. */
function blocks(language: string): readonly string[] {
	const found = TEXT.matchAll(new RegExp(`^( *)\`\`\`${language}\\n([\\s\\S]*?)^ *\`\`\`$`, 'gm'));
	return [...found].map(([, indent = '', body = '']) => body.replaceAll(new RegExp(`^${indent}`, 'gm'), ''));
}

/** The keys under which CI services have shell scripts. */
const SCRIPTS = ['run', 'script', 'before_script'];

/** The scripts in a recipe of a CI service, at any depth. */
function scriptsIn(value: unknown): readonly string[] {
	if (typeof value !== 'object' || value === null) return [];
	return Object.entries(value).flatMap(([key, inner]) => {
		const lines: readonly unknown[] = Array.isArray(inner) ? inner : [inner];
		const isScript = SCRIPTS.includes(key) && lines.every((line) => typeof line === 'string');
		return isScript ? [lines.join('\n')] : scriptsIn(inner);
	});
}

/** The documents of the block of YAML that has this text. */
function recipe(part: string): readonly unknown[] {
	const found = blocks('yaml').filter((each) => each.includes(part));
	assert.equal(found.length, 1, part);
	return parseAllDocuments(found[0] ?? '').map((document) => document.toJS());
}

/** The commands of stint in the blocks and in the text, each as its words. */
function commands(): readonly (readonly string[])[] {
	const code = [
		...blocks('yaml'),
		...blocks('sh'),
		...[...TEXT.matchAll(/`([^`\n]+)`/g)].map(([, text]) => text),
	];
	const calls = code.flatMap((text) => [
		...(text ?? '').matchAll(/\bstint(?::1)? ((?:run|server|images|doctor|get|registry)\b[^|&;<>)\n]*)/g),
	]);
	return calls.map(([, words = '']) => words.trim().split(/\s+/));
}

test('the YAML of each recipe parses', () => {
	for (const block of blocks('yaml'))
		for (const { errors } of parseAllDocuments(block)) assert.deepEqual(errors, [], block);
	for (const part of ['runs-on:', 'extends: .stint', 'kind: ConfigMap', 'runAsNonRoot'])
		assert.ok(recipe(part).length > 0);
});

test('the scripts of the recipes are shell', async () => {
	const services = [...recipe('runs-on:'), ...recipe('extends: .stint')].flatMap(scriptsIn);
	assert.equal(services.length, 9);
	for (const script of [...blocks('sh'), ...services]) {
		const { code, stderr } = await run('bash', ['-n', '-c', script]);
		assert.equal(code, 0, `${script}\n${stderr}`);
	}
});

test('the commands of stint in the recipes exist, with their flags', () => {
	const program = makeProgram(cliContext(), () => undefined);
	const named = (parent: Command, name: string | undefined): Command | undefined =>
		parent.commands.find((each) => each.name() === name);
	const found = commands();
	assert.ok(found.length > 15, `${found.length} commands`);
	for (const [name = '', ...words] of found) {
		const command = named(program, name);
		assert.ok(command, name);
		const inner = named(command, words[0]) ?? command;
		const known = [...command.options, ...inner.options].flatMap(({ short, long }) => [short, long]);
		for (const word of words.filter((each) => each.startsWith('-')))
			assert.ok(known.includes(word), `${name} ${words.join(' ')}: there is no ${word}`);
	}
});

test('the Job of the recipes runs', async (t) => {
	const [job] = recipe('backoffLimit: 0\n  activeDeadlineSeconds: 600\n  template');
	const folder = temporaryFolder(t);
	const file = join(folder, 'test.json');
	writeFileSync(file, JSON.stringify(job));
	const env = { HOME: folder, PATH: process.env.PATH };
	const { code, stdout, stderr } = await run(join(ROOT, 'stint'), ['run', '-f', file], { env });
	assert.equal(code, 0, stderr);
	assert.match(stdout, /testing as \d+$/m);
});
