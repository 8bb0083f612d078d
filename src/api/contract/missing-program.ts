/**
 * The start of the message of a runtime whose containers are programs of its machine, about an image that stands for none
 * of them. The CLI recognizes it, since its user can give a command then. Other problems of images, such as an error in
 * the image table, have other remedies.
 */
export const MISSING_PROGRAM = 'no program is configured for image';
