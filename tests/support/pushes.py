"""How a test knows that a service worker has dealt with a push."""

COUNT_HANDLED = """(() => {
  const { waitUntil } = ExtendableEvent.prototype;
  self.handled = 0;
  ExtendableEvent.prototype.waitUntil = function (work) {
    const count = () => { self.handled += 1; };
    if (this.type === "push") Promise.resolve(work).then(count, count);
    return waitUntil.call(this, work);
  };
})()"""
"""For a service worker: from now on `self.handled` is the number of pushes that it has dealt with.

A test waits for that before it asks for what is shown: asked earlier, Chromium forgets a notification that it has
stored, but not shown yet.
"""
