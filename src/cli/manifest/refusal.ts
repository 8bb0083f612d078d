import { ApiError } from '../../api/meta/api-error.ts';
import { describeError, HintedError, uniqueCauses, withHint } from '../errors.ts';
import { problemOf, titleOf } from './check.ts';
import type { ManifestDocument } from './document.ts';
import { describeProblem } from './excerpt.ts';

/** The text for an error that the server gave to an object of a manifest: with the places in its file. */
export function describeRefusal(error: unknown, document: ManifestDocument): string {
	if (error instanceof HintedError) return `${describeRefusal(error.cause, document)}\nhint: ${error.hint}`;
	if (!(error instanceof ApiError)) return describeError(error);
	const causes = uniqueCauses(error).filter(({ field }) => field !== '');
	if (causes.length > 0)
		return withHint(
			causes.map((cause) => describeProblem(problemOf(document, cause))).join('\n'),
			immutableHint(error, document),
		);
	const message = `${titleOf(document)}${describeError(error)}`;
	return describeProblem({ file: document.file, span: document.spanOf('metadata.name'), message });
}

/** The most common cause of it: a Job was changed in its manifest and applied again. */
function immutableHint({ message }: ApiError, { object }: ManifestDocument): string | undefined {
	if (!message.includes('field is immutable')) return undefined;
	const what =
		object.kind === 'Job' ? 'A Job keeps what it was created with' : 'It keeps what it was created with';
	return `${what}. Apply with --force, which deletes it and creates it anew, or give it another name`;
}
