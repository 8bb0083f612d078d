import { type CliContext, CommandError } from '../context.ts';
import { type CheckedObject, checkDocument } from './check.ts';
import { type ManifestDocument, type ManifestFile, type Problem, readDocuments } from './document.ts';

/**
 * Reads and checks everything that `-f` names: files, folders, `-` for standard input. Rejects with a
 * CommandError that lists every problem with its place; then nothing has been sent.
 */
export async function loadManifests(
	context: CliContext,
	paths: readonly string[],
	namespace: string,
): Promise<readonly CheckedObject[]> {
	const objects: CheckedObject[] = [];
	const problems: Problem[] = [];
	for (const file of await readFiles(context, paths)) {
		const { documents, problems: unreadable } = readDocuments(file);
		problems.push(...unreadable);
		for (const document of documents) {
			const checked = checkDocument(document, namespace);
			if (isChecked(checked)) objects.push(checked);
			else problems.push(...checked);
		}
	}
	if (problems.length > 0) throw new CommandError(problems.map(describeProblem).join('\n'));
	if (objects.length === 0) throw new CommandError('no objects passed: the manifest is empty');
	return objects;
}

/** The objects as they stand in the files, for commands that only need to know which they are. */
export async function loadDocuments(
	context: CliContext,
	paths: readonly string[],
): Promise<readonly ManifestDocument[]> {
	const files = await readFiles(context, paths);
	const read = files.map(readDocuments);
	const problems = read.flatMap((each) => each.problems);
	if (problems.length > 0) throw new CommandError(problems.map(describeProblem).join('\n'));
	return read.flatMap(({ documents }) => documents);
}

function isChecked(checked: CheckedObject | readonly Problem[]): checked is CheckedObject {
	return 'definition' in checked;
}

async function readFiles(context: CliContext, paths: readonly string[]): Promise<readonly ManifestFile[]> {
	const files: ManifestFile[] = [];
	for (const path of paths) {
		if (path === '-') {
			files.push({ name: '<stdin>', text: await context.readStdin() });
			continue;
		}
		const names = (await context.listFolder(path)) ?? [path];
		if (names.length === 0) throw new CommandError(`${path}: the folder holds no .yaml, .yml or .json file`);
		for (const name of names) files.push({ name, text: await readFile(context, name) });
	}
	return files;
}

async function readFile(context: CliContext, path: string): Promise<string> {
	try {
		return await context.readFile(path);
	} catch (error) {
		const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
		throw new CommandError(missing ? `the path "${path}" does not exist` : `${path}: ${error}`);
	}
}

/** `job.yaml:6:3: what is wrong`, with the line below it. */
export function describeProblem({ file, position: { line, column }, message }: Problem): string {
	const text = file.text.split('\n')[line - 1] ?? '';
	const number = String(line).padStart(5);
	const excerpt = text.trim() === '' ? '' : `\n${number} | ${text.replaceAll('\t', '→')}`;
	return `${file.name}:${line}:${column}: ${message}${excerpt}`;
}
