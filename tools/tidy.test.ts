import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { resources, viewResources } from '../src/api/resources.ts';
import { unportableUses } from './tidy/browser.ts';
import { bannedCalls, spreadLiterals, unsafeTypes } from './tidy/calls.ts';
import { dependencyFaults } from './tidy/dependencies.ts';
import { poorDescriptions, undocumented } from './tidy/documentation.ts';
import { deadExports } from './tidy/exports.ts';
import { importCycles, impurities, layerBreaks, missingFiles, unreachedFiles } from './tidy/imports.ts';
import { bannedPhrases, bannedPhrasesInDocument } from './tidy/language.ts';
import { ENTRIES, EXCEPTIONS, PHRASE_LIST, UNUSED_EXPORTS } from './tidy/law.ts';
import { missingReferences, missingReferencesInDocument } from './tidy/references.ts';
import { crowdedFolders, longFiles, longFunctions, manyParameters } from './tidy/sizes.ts';
import { isTest, ROOT, readSources } from './tidy/sources.ts';

/** The law of the tree: the rules are data in tidy/law.ts, and the checks are functions in tidy/. */

const sources = readSources();
const product = sources.filter(({ path }) => path.startsWith('src/') && !isTest(path));
const DOCUMENTS = globSync(['README.md', 'ARCHITECTURE.md', 'CHANGELOG.md', 'docs/**/*.md'], { cwd: ROOT });
/** Sources in other languages, which name files too. */
const OTHER_SOURCES = globSync(['tools/**/*.go', 'native/**/*.{c,h,sh}'], { cwd: ROOT });

/** Fails if there are findings, and prints each on a line. */
function none(found: readonly string[]): void {
	assert.equal(found.length, 0, `\n${found.join('\n')}\n`);
}

test('each folder imports only the folders that LAYERS allows', () => {
	none(layerBreaks(sources));
});

test('imports form no cycle, not even through imports on demand', () => {
	none(importCycles(sources));
});

test('every imported file exists', () => {
	none(missingFiles(sources));
});

test('plan/ and api/ do no I/O, and plan/ is synchronous', () => {
	none(impurities(product));
});

test('api/, plan/, the client and all that they load run in a browser', () => {
	none(unportableUses(product));
});

test('files stay within the maximum sizes', () => {
	none(longFiles(sources));
});

test('functions stay within the maximum size', () => {
	none(longFunctions(product));
});

test('functions have at most three parameters', () => {
	none(manyParameters(product));
});

test('no folder has too many files', () => {
	none(crowdedFolders(sources.filter(({ path }) => /^(src|tools)\//.test(path))));
});

test('no forbidden call is made', () => {
	none(bannedCalls(product));
});

test('no object literal is spread into another one', () => {
	none(spreadLiterals(product));
});

test('no file uses any or !, and only the files in CASTS use `as`', () => {
	none(unsafeTypes(product));
});

test('every exported function, class and type has a doc comment', () => {
	none(undocumented(product));
});

test('every field of the API has a description that says what it means', () => {
	none(poorDescriptions([...resources, ...viewResources]));
});

test('comments and texts contain no banned phrase', () => {
	none(sources.filter(({ path }) => path !== PHRASE_LIST).flatMap(bannedPhrases));
});

test('documents contain no banned phrase', () => {
	assert.ok(DOCUMENTS.length > 3);
	none(DOCUMENTS.flatMap((path) => bannedPhrasesInDocument(path, readFileSync(join(ROOT, path), 'utf8'))));
});

test('comments and documents name only files that exist', () => {
	const paths = globSync('{src,test,tools,bench,examples}/**/*.{ts,jsonl}', { cwd: ROOT });
	assert.ok(OTHER_SOURCES.length > 3);
	const documents = [...DOCUMENTS, ...OTHER_SOURCES].map((path) => ({
		path,
		text: readFileSync(join(ROOT, path), 'utf8'),
	}));
	none([
		...sources.flatMap((source) => missingReferences(source, paths)),
		...documents.flatMap((document) => missingReferencesInDocument(document, paths)),
	]);
});

test('the terms of the glossary are in alphabetical order', () => {
	const glossary = readFileSync(join(ROOT, 'docs/glossary.md'), 'utf8');
	const terms = [...glossary.matchAll(/^\*\*(.+?)\*\*/gm)].map(([, term = '']) => term.toLowerCase());
	assert.ok(terms.length > 30);
	assert.deepEqual(terms, terms.toSorted());
});

test('no file is a barrel or a collection without a subject', () => {
	none(
		sources
			.map(({ path }) => path)
			.filter((path) => /\/(index|utils?|helpers?|types|common|misc)\.ts$/.test(path))
			.map((path) => `${path}: name the file after the noun that is in it`),
	);
});

test('every file is reachable from an entry point', () => {
	const unreached = new Set(unreachedFiles(sources, ENTRIES));
	none(product.filter(({ path }) => unreached.has(path)).map(({ path }) => `${path} is used only by tests`));
});

test('every exported value has a use outside of tests', () => {
	const users = sources.filter(({ path }) => !isTest(path) && !path.startsWith('test/'));
	none(
		deadExports(product, users).filter((finding) => !UNUSED_EXPORTS.some((each) => finding.startsWith(each))),
	);
});

test('no two files export different things under one name', () => {
	const filesOf = new Map<string, string[]>();
	for (const { path, text } of product) {
		for (const [, name = ''] of text.matchAll(EXPORT))
			filesOf.set(name, [...(filesOf.get(name) ?? []), path]);
	}
	const found = [...filesOf].map(([name, paths]) => ({ name, paths: [...new Set(paths)] }));
	none(
		found.filter(({ paths }) => paths.length > 1).map(({ name, paths }) => `${name}: ${paths.join(', ')}`),
	);
});

/** An export at its declaration. `export … from` passes on a name and is no second meaning. */
const EXPORT =
	/^export (?:declare |abstract |async )*(?:function\*?|class|const|let|interface|type|enum) (\w+)/gm;

test('every dependency has a reason in DEPENDENCIES, and is used', () => {
	none(dependencyFaults(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')), product));
});

test('every exception of the law names a file or folder that exists', () => {
	const exists = (path: string): boolean => sources.some((source) => source.path.startsWith(path));
	none(
		EXCEPTIONS.filter((path) => !exists(path)).map((path) => `law.ts excepts ${path}, which does not exist`),
	);
});
