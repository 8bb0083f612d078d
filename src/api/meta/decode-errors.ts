import { quote } from '../../base/quote.ts';
import { type ApiError, badRequest } from './api-error.ts';
import type { StrictProblem } from './decode.ts';

/** The errors and warnings of the API for bodies that decoding refuses or complains of. */

/** The texts of a strict decoding error, which are also those of warnings. */
export function strictTexts(problems: readonly StrictProblem[]): readonly string[] {
	return problems.map(({ type, path }) => `${type} field ${quote(path)}`);
}

/** The 400 for a body that fails strict decoding. */
export function strictlyUndecodable(what: Undecoded, texts: readonly string[]): ApiError {
	return undecodable(what, `strict decoding error: ${texts.join(', ')}`);
}

/** The 400 for a body that cannot be decoded; `text` is the message of the DecodeError. */
export function undecodable({ kind, version, into = kind }: Undecoded, text: string): ApiError {
	return badRequest(`${kind} in version "${version}" cannot be handled as a ${into}: ${text}`);
}

/** What the body said it was (the version without its group), and what the path wants if that differs. */
export interface Undecoded {
	readonly kind: string;
	readonly version: string;
	readonly into?: string;
}
