/** The sign of Rookery, as in `icons/rook.svg`, but without a request for it: it is what one sees first. */
export function Rook({ className }: { className?: string }) {
  return (
    <svg className={className} viewBox="0 0 64 64" width={56} height={56} aria-hidden="true">
      <rect width="64" height="64" rx="16" fill="#0d6b5d" />
      <path
        d="M34 13c-10.5 0-18.2 6.9-19.6 16.6L6.8 36.9c-.9.9-.2 2.4 1.1 2.3l8.3-.7C19.1 46.2 25.9 51 34 51c2.6 0 5-.5 7.2-1.4l7.6 3.1c1.2.5 2.4-.7 1.9-1.9l-2.8-6.9c3.2-3.3 5.1-7.7 5.1-12.6C53 20.8 44.8 13 34 13z"
        fill="#f4fbf8"
      />
      <circle cx="29" cy="28" r="3.6" fill="#0d6b5d" />
    </svg>
  );
}
