import { ApiError } from '../../api/errors/api-error.ts';
import type { JsonRecord } from '../../base/json/json.ts';
import { objectAt, textAt } from '../../client/raw-object.ts';
import { calledAs } from '../called-as.ts';
import { CommandError } from '../context.ts';
import { describeError, HintedError, uniqueCauses, withHint } from '../errors.ts';
import { problemOf, titleOf } from './check.ts';
import type { ManifestDocument } from './document.ts';
import { describeProblem } from './excerpt.ts';

/** The command that sent an object. The hint for a rejected change differs between the two. */
export type SendingCommand = 'apply' | 'run';

/**
 * The error to report for an object of a manifest that could not be sent. An ApiError becomes a CommandError
 * that shows the places of the rejected fields in the file; any other error is returned unchanged.
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

/** The object as an argument of a command: `job/pi`. */
function nameOf(object: JsonRecord): string {
	const kind = textAt(object, 'kind') ?? '';
	return `${kind.toLowerCase()}/${textAt(objectAt(object, 'metadata'), 'name') ?? ''}`;
}

/**
 * The hint if the server rejected a change of an immutable field: most often the user has edited the template
 * of a Job in its manifest and applied or run it again.
 */
function immutableHint(
	{ message }: ApiError,
	{ object }: ManifestDocument,
	command: SendingCommand,
): string | undefined {
	if (!message.includes('field is immutable')) return undefined;
	const what = object.kind === 'Job' ? 'These fields of a Job' : 'These fields';
	const way =
		command === 'apply'
			? 'Apply with --force, which deletes and re-creates it'
			: `Delete it first (${calledAs(`delete ${nameOf(object)}`)})`;
	return `${what} cannot be changed after its creation. ${way}, or give it another name`;
}
