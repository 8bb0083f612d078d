import { isMissing } from '../../base/files/system-error.ts';
import { type CliContext, CommandError } from '../context.ts';
import { type CheckedObject, checkDocument, isChecked, type NamespaceChoice } from './check.ts';
import { type ManifestDocument, type ManifestFile, type Problem, readDocuments } from './document.ts';
import { describeProblem } from './excerpt.ts';

/**
 * manifest/: from the argument of `-f` to checked objects, or to problems with their file, line and column.
 * Read load.ts (files), document.ts (YAML, and the places of fields), check.ts (the server's checks),
 * hints.ts (how to fix a problem), excerpt.ts (how a problem is printed), refusal.ts (errors of the server,
 * with places).
 */

/**
 * Reads and checks the files, folders and standard input (`-`) that `-f` names. Rejects with a CommandError
 * that lists every problem of all files with its place; the caller has sent nothing by then.
 */
export async function loadManifests(
	context: CliContext,
	paths: readonly string[],
	choice: NamespaceChoice,
): Promise<readonly CheckedObject[]> {
	const { documents, problems } = await readAll(context, paths);
	const checked = documents.map((document) => checkDocument(document, choice));
	const objects = checked.filter(isChecked);
	refuse([...problems, ...checked.flatMap((each) => (isChecked(each) ? [] : each))]);
	const names = paths.map((path) => (path === '-' ? 'standard input' : path));
	if (objects.length === 0) throw new CommandError(`no objects found in ${names.join(', ')}`);
	return objects;
}

/**
 * The objects of the files without any check of their fields, for commands that need only their kinds and
 * names.
 */
export async function loadDocuments(
	context: CliContext,
	paths: readonly string[],
): Promise<readonly ManifestDocument[]> {
	const { documents, problems } = await readAll(context, paths);
	refuse(problems);
	return documents;
}

function refuse(problems: readonly Problem[]): void {
	if (problems.length === 0) return;
	const inOrder = problems.toSorted((a, b) =>
		a.file === b.file ? a.span.line - b.span.line || a.span.column - b.span.column : 0,
	);
	const files = [...new Set(problems.map(({ file }) => file.name))].join(', ');
	const what = problems.length === 1 ? `1 problem in ${files}` : `${problems.length} problems in ${files}`;
	throw new CommandError(`nothing was sent: ${what}\n${inOrder.map(describeProblem).join('\n')}`);
}

async function readAll(
	context: CliContext,
	paths: readonly string[],
): Promise<{ readonly documents: readonly ManifestDocument[]; readonly problems: readonly Problem[] }> {
	const read = (await readFiles(context, paths)).map(readDocuments);
	return {
		documents: read.flatMap(({ documents }) => documents),
		problems: read.flatMap(({ problems }) => problems),
	};
}

async function readFiles(context: CliContext, paths: readonly string[]): Promise<readonly ManifestFile[]> {
	const files: ManifestFile[] = [];
	for (const path of paths) {
		if (path === '-') {
			files.push({ name: '<stdin>', text: await context.readStdin() });
			continue;
		}
		if (/^https?:\/\//.test(path))
			throw new CommandError(
				`-f does not accept URLs; download the manifest: curl -sSL ${path} | stint ... -f -`,
			);
		const names = (await context.listFolder(path)) ?? [path];
		if (names.length === 0)
			throw new CommandError(`${path}: the folder contains no .yaml, .yml or .json file`);
		for (const name of names) files.push({ name, text: await readFile(context, name) });
	}
	return files;
}

async function readFile(context: CliContext, path: string): Promise<string> {
	try {
		return await context.readFile(path);
	} catch (error) {
		if (error instanceof CommandError) throw error;
		throw new CommandError(isMissing(error) ? `the path "${path}" does not exist` : `${path}: ${error}`);
	}
}
