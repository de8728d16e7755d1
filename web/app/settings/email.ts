/** What to tell users about their address. Pure. */
export interface Addresses {
  email: string | null;
  email_verified: boolean;
  pending_email: string | null;
}

/** Which text it is, and whether a mail with a link can be sent again. */
export function describeEmail({ email, email_verified, pending_email }: Addresses): {
  text: "emailNone" | "emailWaits" | "emailReplaced" | "emailVerified";
  waits: boolean;
} {
  if (!email) return { text: "emailNone", waits: false };
  if (!email_verified) return { text: "emailWaits", waits: true };
  if (pending_email && pending_email !== email) return { text: "emailReplaced", waits: true };
  return { text: "emailVerified", waits: false };
}
