import assert from 'node:assert/strict';
import test from 'node:test';
import { object, optional, string } from '../../src/api/schema/schema.ts';
import { unportableUses } from './browser.ts';
import { spreadLiterals } from './calls.ts';
import { poorDescriptions } from './documentation.ts';
import { deadExports } from './exports.ts';
import { importCycles, reachableFrom } from './imports.ts';
import { bannedPhrases, bannedPhrasesInDocument } from './language.ts';
import { missingReferences, missingReferencesInDocument } from './references.ts';
import { crowdedFolders, longFiles, longFunctions, manyParameters } from './sizes.ts';
import { parseSource } from './sources.ts';

/** The checks of tidy.test.ts on sources with planted faults: a check that finds nothing would pass there. */

function parse(files: Readonly<Record<string, string>>): ReturnType<typeof parseSource>[] {
	return Object.entries(files).map(([path, text]) => parseSource(path, text));
}

test('a cycle is found through static imports, imports on demand and imports of types', () => {
	for (const back of [
		"import { a } from './a.ts';",
		"const a = () => import('./a.ts');",
		"import type { A } from './a.ts';",
	]) {
		const sources = parse({ 'src/base/a.ts': "import { b } from './b.ts';", 'src/base/b.ts': back });
		assert.deepEqual(importCycles(sources), ['src/base/a.ts -> src/base/b.ts -> src/base/a.ts'], back);
	}
	assert.deepEqual([...reachableFrom(['a'], (path) => (path === 'a' ? ['b', 'a'] : []))], ['a', 'b']);
});

test('a use of Node is found in what a browser loads, and only there', () => {
	const sources = parse({
		'src/plan/plan.ts':
			"import { low } from '../base/low.ts'; const later = () => import('../base/lazy.ts');",
		'src/base/low.ts': "import { readFileSync } from 'node:fs'; export const low = Buffer.from('a');",
		'src/base/lazy.ts': 'process.exit();',
		'src/client/kubeconfig/files.ts': "import { homedir } from 'node:os';",
		'src/client/clean.ts': 'export const a = { process: 1 }; globalThis.setImmediate?.(() => a.process);',
	});
	assert.deepEqual(unportableUses(sources), [
		'src/base/low.ts imports node:fs',
		'src/base/low.ts:1 uses Buffer',
	]);
});

test('long files, functions and parameter lists and crowded folders are found', () => {
	const long = parse({ 'src/base/long.ts': `function f(a, b, c, d) {${'\n'.repeat(400)}}\n` });
	assert.deepEqual(longFiles(long), ['src/base/long.ts has 401 lines (maximum 400): split it by noun']);
	assert.deepEqual(longFunctions(long), ['src/base/long.ts:1 a function of 401 lines (maximum 55)']);
	assert.deepEqual(manyParameters(long), ['src/base/long.ts:1 has more than 3 parameters: pass an object']);
	assert.deepEqual(longFiles(parse({ 'src/base/long.test.ts': '\n'.repeat(500) })), []);
	const files = Array.from({ length: 19 }, (_, index) => [`src/base/f${index}.ts`, ''] as const);
	const folder = parse({ ...Object.fromEntries(files), 'src/base/f0.test.ts': '' });
	assert.deepEqual(crowdedFolders(folder), ['src/base/ has 19 files (maximum 18): make rooms']);
	assert.deepEqual(crowdedFolders(folder.slice(1)), []);
});

test('an export that no file imports is found', () => {
	const sources = parse({
		'src/base/a.ts': 'export const used = 1; export const unused = 2;',
		'src/base/b.ts': "import { used } from './a.ts';",
	});
	assert.deepEqual(deadExports(sources, sources), ['src/base/a.ts: unused is used by nothing but tests']);
});

test('a literal that is spread into an object is found, and no other spread', () => {
	const sources = parse({
		'src/base/a.ts':
			'const a = { ...b, ...(c && { c }) };\nconst d = [...[a]];\nconst e = { x: { ...{ a, d } } };',
	});
	assert.deepEqual(spreadLiterals(sources), ['src/base/a.ts:3 spreads a literal: write its fields']);
});

test('a description that only repeats the name or is no sentence is found', () => {
	const schema = object('test.Thing', 'A thing for this test.', {
		good: optional(string, 'Name of the thing to use.'),
		short: optional(string, 'The short.'),
		open: optional(string, 'Name of the thing to use'),
	});
	assert.deepEqual(
		poorDescriptions([{ schema }]).map((finding) => finding.split(':')[0]),
		['test.Thing.short', 'test.Thing.open'],
	);
});

test('a banned phrase is found in comments, in texts and in documents, with its line', () => {
	const phrase = ['at', 'rest'].join(' ');
	const [source] = parse({
		'src/base/a.ts': `/** It is\n * ${phrase}. */\nconst text = 'It is ${phrase}';\n`,
	});
	assert.ok(source);
	const places = bannedPhrases(source).map((finding) => finding.split(': ')[0]);
	assert.deepEqual(places, ['src/base/a.ts:2', 'src/base/a.ts:3']);
	assert.match(bannedPhrasesInDocument('README.md', `a\nb ${phrase}`)[0] ?? '', /^README\.md:2: /);
});

test('a comment or a document that names a file that does not exist is found, with its line', () => {
	const [source] = parse({
		'src/base/a.ts':
			'/**\n * See b.ts, base/b.ts and old/b.ts, not\n * gone.ts. An x.ts stands for any.\n */\n',
	});
	assert.ok(source);
	const paths = ['src/base/a.ts', 'src/base/b.ts'];
	assert.deepEqual(missingReferences(source, paths), [
		'src/base/a.ts:2 names old/b.ts',
		'src/base/a.ts:3 names gone.ts',
	]);
	const text = '`base/a.ts`, `apiserver/http.ts`, .../src/golden.jsonl, types.go';
	assert.deepEqual(missingReferencesInDocument({ path: 'README.md', text }, paths), [
		'README.md names apiserver/http.ts',
		'README.md names src/golden.jsonl',
	]);
});
