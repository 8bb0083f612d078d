import { ApiError } from '../../api/meta/api-error.ts';
import { objectAt, type RawObject, textAt } from '../../client/raw-object.ts';
import { calledAs } from '../called-as.ts';
import { CommandError } from '../context.ts';
import { describeError, HintedError, uniqueCauses, withHint } from '../errors.ts';
import { problemOf, titleOf } from './check.ts';
import type { ManifestDocument } from './document.ts';
import { describeProblem } from './excerpt.ts';

/** The command that sent an object; what its user may do about a refusal differs. */
export type SendingCommand = 'apply' | 'run';

/**
 * An error that was met while an object of a manifest was sent, for the user: an answer of the server with the
 * places in the file that it is about, any other error as it is.
 */
export function refusalError(
	error: unknown,
	document: ManifestDocument,
	command: SendingCommand = 'apply',
): unknown {
	const cause = error instanceof HintedError ? error.cause : error;
	if (!(cause instanceof ApiError) || document.file.text === '') return error;
	return new CommandError(describeRefusal(error, document, command));
}

function describeRefusal(error: unknown, document: ManifestDocument, command: SendingCommand): string {
	if (error instanceof HintedError)
		return `${describeRefusal(error.cause, document, command)}\nhint: ${error.hint}`;
	if (!(error instanceof ApiError)) return describeError(error);
	const causes = uniqueCauses(error).filter(({ field }) => field !== '');
	if (causes.length > 0)
		return withHint(
			causes.map((cause) => describeProblem(problemOf(document, cause))).join('\n'),
			immutableHint(error, document, command),
		);
	const message = `${titleOf(document)}${describeError(error)}`;
	return describeProblem({ file: document.file, span: document.spanOf('metadata.name'), message });
}

/** `job/pi`, as commands take it. */
function nameOf(object: RawObject): string {
	const kind = textAt(object, 'kind') ?? '';
	return `${kind.toLowerCase()}/${textAt(objectAt(object, 'metadata'), 'name') ?? ''}`;
}

/** The most common cause of it: a Job was changed in its manifest and applied or run again. */
function immutableHint(
	{ message }: ApiError,
	{ object }: ManifestDocument,
	command: SendingCommand,
): string | undefined {
	if (!message.includes('field is immutable')) return undefined;
	const what = object.kind === 'Job' ? 'A Job cannot be changed' : 'These fields cannot be changed';
	const way =
		command === 'apply'
			? 'Apply with --force, which deletes it and creates it anew'
			: `Delete it first (${calledAs(`delete ${nameOf(object)}`)})`;
	return `${what} once it is created. ${way}, or give it another name`;
}
