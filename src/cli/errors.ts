import { ApiError } from '../api/meta/api-error.ts';
import { CommandError } from './context.ts';

/** The text for an error that a command ends with, in kubectl's words where it came from the server. */
export function describeError(error: unknown): string {
	if (error instanceof ApiError) return describeApiError(error);
	if (error instanceof CommandError) return `error: ${error.message}`;
	return `error: ${error instanceof Error ? error.message : String(error)}`;
}

function describeApiError({ status, message, reason }: ApiError): string {
	const { details } = status;
	if (reason === 'Unauthorized') return `error: You must be logged in to the server (${message})`;
	if (reason === 'Invalid' && details?.causes) {
		const causes = [...new Set(details.causes.map((cause) => `* ${cause.field}: ${cause.message}`))];
		return `The ${details.kind} "${details.name}" is invalid: \n${causes.join('\n')}${immutableHint(message)}`;
	}
	return `Error from server (${reason}): ${message}`;
}

/** The most common cause of it: a Job was applied again with another template. */
function immutableHint(message: string): string {
	if (!message.includes('field is immutable')) return '';
	return '\nA Job that was created keeps its template. Delete it first, or give the changed one another name.';
}
