"use strict";
// What the page does itself: lanes are read when they come into view, a call opens in a dialog, a picture is saved.
(() => {
  const at = id => document.getElementById(id);
  const lanes = at("lanes"), dialog = at("call");

  // look reads the lanes in view whose picture is not of the present stamp.
  const look = () => {
    const box = lanes.getBoundingClientRect(), stamp = at("stamp").textContent;
    for (const c of lanes.querySelectorAll(".chunk")) {
      const r = c.getBoundingClientRect();
      if (c.dataset.stamp !== stamp && r.bottom > box.top - 300 && r.top < box.bottom + 300) {
        c.dataset.stamp = stamp;
        htmx.trigger(c, "refresh");
      }
    }
  };
  let asked = false;
  const soon = () => {
    if (!asked) {
      asked = true;
      requestAnimationFrame(() => { asked = false; look(); });
    }
  };
  lanes.addEventListener("scroll", soon, { passive: true });
  addEventListener("resize", soon);
  document.body.addEventListener("htmx:sseMessage", e => {
    if (e.detail.type === "stamp" || e.detail.type === "places") soon();
  });
  document.body.addEventListener("htmx:load", soon, { once: true });

  lanes.addEventListener("click", e => {
    const c = e.target.closest(".chunk");
    if (!c) return;
    const lane = Number(c.dataset.first) + Math.floor((e.clientY - c.getBoundingClientRect().top) / Number(c.dataset.lane));
    htmx.ajax("GET", `/call?job=${encodeURIComponent(c.dataset.job)}&lane=${lane}`, { target: "#call-body" });
  });

  // The row from which a call was opened may have been renewed when the call is closed.
  let from = "";
  document.body.addEventListener("htmx:afterSwap", e => {
    if (e.target.id !== "call-body") return;
    if (!dialog.open) {
      from = document.activeElement.id;
      dialog.showModal();
    }
    at("h-call").focus();
  });
  dialog.addEventListener("close", () => at(from)?.focus());
  dialog.addEventListener("click", e => {
    if (e.target === dialog || e.target.closest(".close")) dialog.close();
  });

  document.body.addEventListener("htmx:sseOpen", () => document.body.classList.remove("lost"));
  document.body.addEventListener("htmx:sseError", () => document.body.classList.add("lost"));

  // The picture that the server draws, as pixels.
  at("save").addEventListener("click", async e => {
    if (e.target.id !== "save-png") return;
    const link = at("save-svg");
    const answer = await fetch(link.href);
    const image = new Image();
    image.src = URL.createObjectURL(await answer.blob());
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = 2 * image.width;
    canvas.height = 2 * image.height;
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    URL.revokeObjectURL(image.src);
    canvas.toBlob(blob => {
      const a = document.createElement("a");
      a.href = URL.createObjectURL(blob);
      a.download = link.download.replace(/svg$/, "png");
      a.click();
      setTimeout(() => URL.revokeObjectURL(a.href), 60000);
    });
  });
})();
