/** The API errors and warnings for bodies that cannot be decoded, or not strictly. */

import { quote } from '../../base/quote.ts';
import { type ApiError, badRequest } from '../errors/api-error.ts';
import type { StrictProblem } from './decode.ts';

/**
 * The texts for unknown and duplicate fields: parts of an error with fieldValidation=Strict, warnings with
 * Warn.
 */
export function strictTexts(problems: readonly StrictProblem[]): readonly string[] {
	return problems.map(({ type, path }) => `${type} field ${quote(path)}`);
}

/** The 400 for a body that fails strict decoding. */
export function strictlyUndecodable(what: Undecoded, texts: readonly string[]): ApiError {
	return undecodable(what, `strict decoding error: ${texts.join(', ')}`);
}

/** The 400 for a body that cannot be decoded. `text` is the message of the DecodeError. */
export function undecodable({ kind, version, into = kind }: Undecoded, text: string): ApiError {
	return badRequest(`${kind} in version "${version}" cannot be handled as a ${into}: ${text}`);
}

/** Kind and version (without group) of the body, and the kind that the path expects if that differs. */
export interface Undecoded {
	readonly kind: string;
	readonly version: string;
	readonly into?: string;
}
